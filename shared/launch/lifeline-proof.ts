import { createHmac } from "node:crypto";
import { proofOf } from "./proof.js";
import type { RankIdentity } from "./rank-messages.js";

/** What both ends of a lifeline have thrown in for this connection alone. */
export interface LifelineNonces {
  readonly coordinator: string;
  readonly rank: string;
}

/** What both ends of the lifelines make of the run's token, which itself is never sent; another than that of any other message. */
export function lifelineKey(token: string): Buffer {
  return createHmac("sha256", token).update("ringstrasse lifeline 2").digest();
}

/** By which a rank shows that it has the token and is who it says. Hex. */
export function proofOfRankHere(key: Buffer, nonces: LifelineNonces, identity: RankIdentity): string {
  const { rank, workerId, host, pid, clockMs } = identity;
  return proofOf(key, ["here", nonces.coordinator, nonces.rank, rank, workerId, host, pid, clockMs]);
}

/** By which the coordinator shows that it has the token, and means this rank. Hex. */
export function proofOfWelcome(key: Buffer, nonces: LifelineNonces, rank: number): string {
  return proofOf(key, ["welcome", nonces.coordinator, nonces.rank, rank]);
}
