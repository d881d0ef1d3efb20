import { hostname } from "node:os";
import process from "node:process";
import { RingstrasseError, toFailure } from "../shared/failure.js";
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
  const interrupted = once(options.signal);
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
    const message = await Promise.race([communication.receive(), interrupted]);
    switch (message.kind) {
      case "welcome":
        log.debug("joined");
        break;
      case "assign":
        await Promise.race([train(message, communication, board, options), interrupted]);
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
    // A broken group is the coordinator's own news; anything else it has to hear from here.
    if (communication.signal.aborted) throw communication.signal.reason;
    board.advance("idle");
    log.debug({ err: thrown, rank }, "training failed");
    communication.send({ kind: "failed", jobId, generation, failure: toFailure(thrown) });
  }
}

/** Rejects once the signal aborts; never resolves. */
function once(signal: AbortSignal): Promise<never> {
  const rejected = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  // The race that listens may be over already.
  rejected.catch(() => undefined);
  return rejected;
}
