import { hostname } from "node:os";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { describeFailure } from "../shared/describe-failure.js";
import type { EngineWish } from "../shared/engine-name.js";
import { arcOf } from "../shared/epoch-plan.js";
import { type Failure, RingstrasseError, toFailure } from "../shared/failure.js";
import type { WorkerId } from "../shared/ids.js";
import type { Logger } from "../shared/logger.js";
import type { EngineFacts } from "../shared/protocol/control-message.js";
import { isOnNetwork, type LinkKeys, linkKeysOf } from "../shared/transport/link-keys.js";
import type { MemorySharing } from "./collective/memory-domain.js";
import { addressTowards } from "./communication/address-towards.js";
import { CommunicationClient } from "./communication/communication-client.js";
import type { Assignment } from "./communication/generation-link.js";
import { ProgressBoard } from "./communication/progress-board.js";
import { offeredEngines } from "./engine/offered-engines.js";
import { SharedMemory } from "./kernels/shared-memory.js";
import type { MpiAccess } from "./mpi/mpi-access.js";
import { runGeneration } from "./train/run-generation.js";
import { namedMemoryFailure } from "./train/step-memory.js";

/** A larger memory is not kept from job to job: nothing else gives its pages back to the machine. */
const KEPT_MEMORY_BYTES = 64 * 2 ** 20;
/** Between two attempts to join a coordinator that was lost. */
const REJOIN_PAUSE_MS = 1000;

export interface WorkerOptions {
  readonly coordinatorEndpoint: string;
  readonly token: string;
  readonly workerId: WorkerId;
  /** This host's address as the other workers reach it, for tcp rings; null: that on the way to the coordinator. */
  readonly address: string | null;
  /** What it offers to compute with, see `offeredEngines`. */
  readonly engine: EngineWish;
  /** Of one computation of a native engine. */
  readonly threads: number;
  /** File descriptor of a pipe that the parent holds; null when this worker was not launched by a coordinator. */
  readonly parentPipe: number | null;
  /** How to get at the MPI that has begun for this process; null: none has. */
  readonly mpi: MpiAccess | null;
  /** Where an orchestrator's probes are answered; null: nowhere. */
  readonly healthPort: number | null;
  /** Told when the coordinator has let it in. */
  readonly joined: () => void;
  /** Aborted, with an INTERRUPTED failure: leave at once. */
  readonly signal: AbortSignal;
  /** Aborted likewise, some time before: leave as soon as nobody needs this worker. Null: nobody is to be asked. */
  readonly leaving: AbortSignal | null;
  readonly log: Logger;
}

/**
 * A worker's life: prove its engines, join, train what is assigned, leave when the coordinator says stop. When a coordinator that
 * keeps a pool is lost, the worker joins again as soon as it is back.
 * @throws RingstrasseError with what ended it, unless it was told to leave.
 */
export async function runWorker(given: WorkerOptions): Promise<void> {
  const engines = await offeredEngines(given.engine, given.threads);
  given.leaving?.throwIfAborted();
  const alone = new AbortController();
  const options = { ...given, signal: AbortSignal.any([given.signal, alone.signal]) };
  options.signal.throwIfAborted();
  const board = new ProgressBoard();
  await using communication = new CommunicationClient({
    coordinatorEndpoint: options.coordinatorEndpoint,
    coordinatorKey: isOnNetwork(options.coordinatorEndpoint) ? linkKeysOf(options.token, "control").publicKey : null,
    workerId: options.workerId,
    board: board.memory,
    parentPipe: options.parentPipe,
    mpi: options.mpi,
    healthPort: options.healthPort,
  });
  options.signal.addEventListener("abort", () => communication.abort(options.signal.reason), { once: true });
  const membership = new Membership(options, communication, board);
  const leave = ({ reason }: AbortSignal): void => {
    if (membership.hasJoined) communication.send({ kind: "leaving", signal: signalName(reason) });
    else alone.abort(reason);
  };
  options.leaving?.addEventListener("abort", () => options.leaving && leave(options.leaving), { once: true });
  for (;;) {
    try {
      return await membership.serve(engines, await communication.connect());
    } catch (thrown) {
      if (options.signal.aborted) communication.send({ kind: "leave", signal: signalName(thrown) });
      options.leaving?.throwIfAborted();
      if (!membership.comesBackAfter(thrown)) throw thrown;
      options.log.warn(`${describeFailure(toFailure(thrown))}: joining again`);
    }
    await setTimeout(REJOIN_PAUSE_MS, undefined, { signal: options.signal }).catch(() =>
      options.signal.throwIfAborted(),
    );
  }
}

/** This worker among those of one coordinator, over all links that it opens to it. */
class Membership {
  readonly #options: WorkerOptions;
  readonly #communication: CommunicationClient;
  readonly #board: ProgressBoard;
  /** Whether the coordinator that let this worker in wants it to come back. */
  #comesBack = false;
  #hasJoined = false;
  #memory = new SharedMemory();
  #linkKeys: LinkKeys | null = null;

  constructor(options: WorkerOptions, communication: CommunicationClient, board: ProgressBoard) {
    this.#options = options;
    this.#communication = communication;
    this.#board = board;
  }

  /** Whether a coordinator has this worker. */
  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /** Joins and does what the coordinator says until it says stop. @throws RingstrasseError when it refuses, fails or is lost. */
  async serve(engines: EngineFacts[], sharing: MemorySharing): Promise<void> {
    try {
      await this.#follow(engines, sharing);
    } finally {
      // Over a link that broke nobody is told anything.
      this.#hasJoined = false;
    }
  }

  async #follow(engines: EngineFacts[], sharing: MemorySharing): Promise<void> {
    const { token, workerId, log } = this.#options;
    const { pid, version } = process;
    this.#board.advance("idle");
    const { domain: memoryDomain, problem } = sharing;
    if (problem !== null) log.info({ problem }, `this worker can't share memory: ${problem}`);
    const memory = { memoryDomain, ...(problem === null ? {} : { sharingProblem: problem }) };
    const facts = { host: hostname(), pid, nodeVersion: version, engines, ...memory };
    this.#communication.send({ kind: "join", token, workerId, ...facts });
    for (;;) {
      const message = await this.#communication.receive();
      switch (message.kind) {
        case "welcome":
          this.#comesBack = message.comeBack;
          this.#hasJoined = true;
          this.#options.joined();
          log.debug("joined");
          break;
        case "assign":
          await this.#train(message);
          break;
        case "stop":
        case "refused":
          if (message.failure !== null) throw new RingstrasseError(message.failure);
          return;
        case "start":
        case "release":
        case "alive":
        case "state":
        case "takeCheckpoint":
        case "checkpointReceived":
          throw violation(message.kind);
      }
    }
  }

  /** Whether what ended {@link serve} is the loss of a coordinator that may be back in a moment. */
  comesBackAfter(thrown: unknown): boolean {
    const { signal, parentPipe } = this.#options;
    if (!this.#comesBack || signal.aborted || parentPipe !== null) return false;
    const failure = toFailure(thrown);
    switch (failure.code) {
      case "COORDINATOR_LOST":
        return true;
      case "PROTOCOL_VIOLATION":
        // A coordinator that was started anew doesn't know the links of the last one.
        return true;
      case "WORKER_REFUSED":
        // It has not noticed yet that the last link is dead.
        return failure.what === "its name";
      default:
        return false;
    }
  }

  /** Trains; a failure of this worker's own is reported before the coordinator's verdict is awaited. */
  async #train(assignment: Assignment): Promise<void> {
    const { log, address, coordinatorEndpoint, signal: leaving } = this.#options;
    const { jobId, generation, rank } = assignment;
    const communication = this.#communication;
    const board = this.#board;
    const link = communication.generation;
    const announce = (text: string) => log.warn({ rank }, text);
    const memory = this.#emptyMemory();
    try {
      await runGeneration(assignment, {
        communication,
        signal: link.signal,
        memory,
        board,
        address: address ?? (await addressTowards(coordinatorEndpoint)),
        linkKeys: () => this.#gradientKeys(),
        announce,
      });
    } catch (thrown) {
      if (leaving.aborted) {
        communication.send({ kind: "failed", jobId, generation, failure: departure(assignment, board, thrown) });
        throw thrown;
      }
      board.advance("idle");
      // The end of the group is the coordinator's own news; anything else it has to hear from here.
      if (!link.signal.aborted) {
        const failure = toFailure(namedMemoryFailure(thrown, assignment.spec));
        log.debug({ err: thrown, rank }, "training failed");
        // Of a part of this worker that was a process of its own.
        const named = failure.code === "WORKER_DIED" ? { ...failure, ...doing(assignment, board) } : failure;
        communication.send({ kind: "failed", jobId, generation, failure: named });
      }
    }
    const verdict = await link.verdict();
    if (verdict !== null) log.debug({ failure: verdict }, "released");
    await communication.leaveGeneration();
  }

  /** Of a pool's jobs all have the same: they are made once, when they are first wanted, since that takes a moment. */
  #gradientKeys(): LinkKeys {
    this.#linkKeys ??= linkKeysOf(this.#options.token, "gradients");
    return this.#linkKeys;
  }

  /** Memories are given back to the machine by the garbage collector, some time: small ones are used again instead. */
  #emptyMemory(): SharedMemory {
    if (this.#memory.memory.buffer.byteLength <= KEPT_MEMORY_BYTES) this.#memory.reset();
    else this.#memory = new SharedMemory();
    return this.#memory;
  }
}

function signalName(thrown: unknown): string {
  const failure = toFailure(thrown);
  return failure.code === "INTERRUPTED" ? failure.signal : "an error";
}

function violation(kind: string): RingstrasseError {
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: "coordinator", problem: `unexpected ${kind}` });
}

/** What the group hears of a worker that is told to leave: who it was, so that nobody has to wait for its silence. */
function departure(assignment: Assignment, board: ProgressBoard, thrown: unknown): Failure {
  const who = { rank: assignment.rank, host: hostname(), pid: process.pid };
  return { code: "WORKER_LEFT", ...who, ...doing(assignment, board), signal: signalName(thrown) };
}

/** Which part of the job a worker has, and how far it has come. */
function doing(
  { rank, worldSize, spec }: Assignment,
  board: ProgressBoard,
): { readonly replicas: number[]; readonly step: number } {
  const arc = arcOf(rank, worldSize, spec.replicas);
  const replicas = Array.from({ length: arc.to - arc.from }, (_, index) => arc.from + index);
  return { replicas, step: board.read().step };
}
