import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { RingstrasseError } from "../../shared/failure.js";
import { type Rendezvous, RendezvousSchema } from "../../shared/launch/rank-messages.js";
import {
  RankZeroAnswersSchema,
  RankZeroSaysSchema,
  type RendezvousMessage,
} from "../../shared/launch/rendezvous-messages.js";
import { isProof, type Nonces, newNonce, proofOf } from "../../shared/launch/rendezvous-proof.js";
import { isLoopback } from "../../shared/transport/is-loopback.js";
import { LineSocket } from "./line-socket.js";

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
  const { line: found, nonces, ownAddress } = await findRankZero(sought);
  using line = found;
  const proof = proofOf(key, "rank", nonces, `${rank} of ${worldSize}`);
  line.send({ kind: "show", rank, worldSize, proof } satisfies RendezvousMessage);
  try {
    const said = RankZeroSaysSchema.parse(await line.next(signal));
    if (!isProof(said.proof, proofOf(key, "said", nonces, said.text))) throw new Error("what it says is not its own");
    return { rendezvous: RendezvousSchema.parse(JSON.parse(said.text)), ownAddress };
  } catch (cause) {
    signal.throwIfAborted();
    const problem = `it went away before it said where to meet (${messageOf(cause)})`;
    throw failed(sought, problem, "See what rank 0 says; all ranks need the same version of ringstrasse", cause);
  }
}

/** One that has shown the run's key. */
interface Answered {
  readonly line: LineSocket;
  readonly nonces: Nonces;
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
          "Check that rank 0 runs, that all ranks have the same RINGSTRASSE_TOKEN, and that no firewall stands between the hosts; MASTER_ADDR and MASTER_PORT name another place";
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
    const nonce = newNonce();
    line.send({ kind: "ask", nonce } satisfies RendezvousMessage);
    const answer = RankZeroAnswersSchema.parse(await line.next(signal));
    const nonces = { rank: nonce, rankZero: answer.nonce };
    if (!isProof(answer.proof, proofOf(key, "rank 0", nonces)))
      throw new Error(`${address}:${port} lacks the run's key`);
    return { line, nonces, ownAddress: socket.localAddress ?? address };
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
