import { onTestFinished } from "vitest";
import type { MeetingPoint } from "../../shared/launch/rank-messages.js";
import { rendezvousKey } from "../../shared/launch/rendezvous-proof.js";
import type { RankZeroSought } from "../../worker/rank/ask-rank-zero.js";
import { RendezvousServer } from "../../worker/rank/rendezvous-server.js";

export const SECRET = "the ranks' secret";
export const KEY = rendezvousKey(SECRET, "slurm 17.0 0");
export const MEET: MeetingPoint = {
  kind: "meet",
  coordinatorEndpoint: "tcp://10.0.0.1:7000",
  token: "the token of this run alone",
  lifeline: { host: "10.0.0.1", port: 7001 },
  socketFolder: null,
  logLevel: "warn",
  engine: "wasm",
  threads: 1,
};

/** Of rank 0 in a world of so many, on a port that is free, until the test is over. */
export async function openRendezvous(worldSize = 3, ports: readonly number[] = [0]): Promise<RendezvousServer> {
  const server = await RendezvousServer.open({ address: "127.0.0.1", ports, key: KEY, worldSize });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** What rank 1 of 3 on another host asks by; it gives up after a moment. */
export function rankZeroSought(ports: readonly number[], more: Partial<RankZeroSought> = {}): RankZeroSought {
  const who = { rank: 1, worldSize: 3, ownHost: "node2", host: null };
  return { ...who, ports, key: KEY, reachMs: 50, signal: new AbortController().signal, ...more };
}
