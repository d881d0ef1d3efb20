import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { RingstrasseError } from "../../shared/failure.js";
import { EphemeralKey } from "../../shared/launch/ephemeral-key.js";
import { LineSocket } from "../../shared/launch/line-socket.js";
import { isProof, newNonce } from "../../shared/launch/proof.js";
import { type Rendezvous, RendezvousSchema } from "../../shared/launch/rank-messages.js";
import {
  RankZeroAnswersSchema,
  RankZeroSaysSchema,
  RENDEZVOUS_VERSION,
  type RendezvousMessage,
} from "../../shared/launch/rendezvous-messages.js";
import { type Greetings, proofOfRank, proofOfRankZero } from "../../shared/launch/rendezvous-proof.js";
import { RendezvousSeal } from "../../shared/launch/rendezvous-seal.js";
import { understood } from "../../shared/launch/understood.js";
import { isLoopback } from "../../shared/transport/is-loopback.js";

/** Whoever listens at a port without answering so long is somebody else. */
const ANSWER_MS = 3000;
/** Between two rounds over all ports. */
const PAUSE_MS = 250;

export interface RankZeroSought {
  /** This rank, as failures name it. */
  readonly rank: number;
  readonly worldSize: number;
  readonly ownHost: string;
  /** Name or address of rank 0's host; null: this one. */
  readonly host: string | null;
  readonly ports: readonly number[];
  readonly key: Buffer;
  /** To find rank 0. What it has to say may take longer: it prepares the data first. */
  readonly reachMs: number;
  readonly signal: AbortSignal;
}

export interface RankZeroHeard {
  readonly rendezvous: Rendezvous;
  /** This host's address on the way to rank 0's. */
  readonly ownAddress: string;
}

/**
 * Asks rank 0 where to meet: tries all ports at once, again and again, until one shows the run's key.
 * @throws RingstrasseError LAUNCH_FAILED; the signal's reason when aborted
 */
export async function askRankZero(sought: RankZeroSought): Promise<RankZeroHeard> {
  const { key, rank, worldSize, signal } = sought;
  const { line: found, own, greetings, ownAddress } = await findRankZero(sought);
  using line = found;
  const claim = { rank, worldSize };
  line.send({ kind: "show", ...claim, proof: proofOfRank(key, greetings, claim) } satisfies RendezvousMessage);
  try {
    const otherPublicKey = greetings.rankZero.publicKey;
    const seal = new RendezvousSeal({ key, own, otherPublicKey, greetings, claim });
    const { sealed } = understood(RankZeroSaysSchema, await line.next(signal));
    return { rendezvous: understood(RendezvousSchema, JSON.parse(seal.open(sealed))), ownAddress };
  } catch (cause) {
    signal.throwIfAborted();
    const problem = `it went away before it said where to meet (${messageOf(cause)})`;
    throw failed(sought, problem, "See what rank 0 says; all ranks need the same version of ringstrasse", cause);
  }
}

/** One that has shown the run's key. */
interface Answered {
  readonly line: LineSocket;
  readonly own: EphemeralKey;
  readonly greetings: Greetings;
  readonly ownAddress: string;
}

async function findRankZero(sought: RankZeroSought): Promise<Answered> {
  const { reachMs, signal } = sought;
  const until = performance.now() + reachMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await firstToAnswer(await addressOf(sought), sought);
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof RingstrasseError) throw cause;
      if (performance.now() >= until) {
        const problem = `no answer within ${reachMs / 1000} s (${messageOf(cause)})`;
        const remedy =
          "Check that rank 0 runs, that all ranks have the same RINGSTRASSE_TOKEN and version of ringstrasse, and that no firewall stands between the hosts; MASTER_ADDR and MASTER_PORT name another place";
        throw failed(sought, problem, remedy, cause);
      }
    }
    // Woken by the signal too, which the next round finds.
    await setTimeout(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** @throws RingstrasseError LAUNCH_FAILED for a name that means this host; the resolver's error, which may pass */
async function addressOf(sought: RankZeroSought): Promise<string> {
  const { host } = sought;
  if (host === null) return "127.0.0.1";
  const { address } = await lookup(host, { family: 4 });
  if (!isLoopback(address)) return address;
  const problem = `${host} means ${address} here, which is this host itself`;
  const remedy = `Give ${host} its outward address in this host's /etc/hosts or DNS, or give all ranks that address as MASTER_ADDR`;
  throw failed(sought, problem, remedy);
}

/** @throws the last port's error when none answers */
async function firstToAnswer(address: string, sought: RankZeroSought): Promise<Answered> {
  const { ports, key, signal } = sought;
  const round = new AbortController();
  const stop = AbortSignal.any([round.signal, signal, AbortSignal.timeout(ANSWER_MS)]);
  const attempts = ports.map((port) => ask(address, port, key, stop));
  try {
    const first = await Promise.any(attempts);
    round.abort();
    for (const attempt of attempts) {
      // Another one of the same run there can't be; should it be, it is hung up on.
      void attempt.then(({ line }) => line !== first.line && line[Symbol.dispose]()).catch(() => undefined);
    }
    return first;
  } catch (thrown) {
    throw thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  }
}

async function ask(address: string, port: number, key: Buffer, signal: AbortSignal): Promise<Answered> {
  const socket = connect({ host: address, port });
  const line = new LineSocket(socket);
  try {
    await once(socket, "connect", { signal });
    const own = new EphemeralKey();
    const rank = { nonce: newNonce(), publicKey: own.publicKey };
    line.send({ kind: "ask", version: RENDEZVOUS_VERSION, ...rank } satisfies RendezvousMessage);
    const { nonce, publicKey, proof } = understood(RankZeroAnswersSchema, await line.next(signal));
    const greetings = { rank, rankZero: { nonce, publicKey } };
    if (!isProof(proof, proofOfRankZero(key, greetings))) throw new Error(`${address}:${port} lacks the run's key`);
    return { line, own, greetings, ownAddress: socket.localAddress ?? address };
  } catch (cause) {
    line[Symbol.dispose]();
    throw cause;
  }
}

function failed(sought: RankZeroSought, why: string, remedy: string, cause?: unknown): RingstrasseError {
  const { rank, ownHost, host, ports } = sought;
  const problem = `rank ${rank} can't meet rank 0 at ${host ?? "127.0.0.1"}, ports ${ports[0]} to ${ports.at(-1)}: ${why}`;
  return new RingstrasseError({ code: "LAUNCH_FAILED", host: ownHost, problem, remedy }, { cause });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
