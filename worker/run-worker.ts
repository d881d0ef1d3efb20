import { hostname } from "node:os";
import process from "node:process";
import { arcOf } from "../shared/epoch-plan.js";
import { type Failure, RingstrasseError, toFailure } from "../shared/failure.js";
import type { WorkerId } from "../shared/ids.js";
import type { Logger } from "../shared/logger.js";
import { CommunicationClient } from "./communication/communication-client.js";
import { ProgressBoard } from "./communication/progress-board.js";
import { probeEngine } from "./engine/probe.js";
import { type Assignment, runGeneration } from "./train/run-generation.js";

export interface WorkerOptions {
  readonly coordinatorEndpoint: string;
  readonly token: string;
  readonly workerId: WorkerId;
  /** This host's address as the other workers reach it, for tcp rings. */
  readonly address: string;
  /** File descriptor of a pipe that the parent holds; null when this worker was not launched by a coordinator. */
  readonly parentPipe: number | null;
  /** Aborted on SIGINT and SIGTERM: leave. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * A worker's life: prove the engine, join, train what is assigned, leave when the coordinator says stop.
 * @throws RingstrasseError with what ended it, unless the job ended well.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { log } = options;
  const engine = await probeEngine("wasm");
  options.signal.throwIfAborted();
  const board = new ProgressBoard();
  await using communication = new CommunicationClient({
    coordinatorEndpoint: options.coordinatorEndpoint,
    workerId: options.workerId,
    board: board.memory,
    parentPipe: options.parentPipe,
  });
  const leave = (): void => communication.abort(options.signal.reason);
  options.signal.addEventListener("abort", leave, { once: true });
  communication.send({
    kind: "join",
    token: options.token,
    workerId: options.workerId,
    host: hostname(),
    pid: process.pid,
    nodeVersion: process.version,
    engine,
  });
  for (;;) {
    const message = await communication.receive();
    switch (message.kind) {
      case "welcome":
        log.debug("joined");
        break;
      case "assign":
        await train(message, communication, board, options);
        break;
      case "stop":
      case "refused":
        if (message.failure !== null) throw new RingstrasseError(message.failure);
        return;
      case "start":
      case "alive":
        throw new RingstrasseError({
          code: "PROTOCOL_VIOLATION",
          from: "coordinator",
          problem: `unexpected ${message.kind}`,
        });
    }
  }
}

/** Trains; a failure of this worker's own is reported before the coordinator's verdict is awaited. */
async function train(
  assignment: Assignment,
  communication: CommunicationClient,
  board: ProgressBoard,
  options: WorkerOptions,
): Promise<void> {
  const { log, address } = options;
  const { jobId, generation, rank } = assignment;
  try {
    const announceFault = (text: string) => log.warn({ rank }, text);
    await runGeneration(assignment, { communication, board, address, announceFault });
  } catch (thrown) {
    if (options.signal.aborted) {
      communication.send({ kind: "failed", jobId, generation, failure: departure(assignment, board, thrown) });
      throw thrown;
    }
    // A broken group is the coordinator's own news; anything else it has to hear from here.
    if (communication.signal.aborted) throw communication.signal.reason;
    board.advance("idle");
    log.debug({ err: thrown, rank }, "training failed");
    communication.send({ kind: "failed", jobId, generation, failure: toFailure(thrown) });
  }
}

/** What the group hears of a worker that is told to leave: who it was, so that nobody has to wait for its silence. */
function departure({ rank, worldSize, spec }: Assignment, board: ProgressBoard, thrown: unknown): Failure {
  const arc = arcOf(rank, worldSize, spec.replicas);
  const failure = toFailure(thrown);
  return {
    code: "WORKER_DIED",
    rank,
    host: hostname(),
    pid: process.pid,
    replicas: Array.from({ length: arc.to - arc.from }, (_, index) => arc.from + index),
    step: board.read().step,
    how: failure.code === "INTERRUPTED" ? `told to leave by ${failure.signal}` : "told to leave",
    lastWords: null,
  };
}
