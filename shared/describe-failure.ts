import type { Failure } from "./failure.js";
import {
  describeCell,
  describeChoice,
  describeDivergence,
  describeInterruption,
  describeLoss,
  describePlace,
  describeRepetition,
} from "./failure-place.js";
import { unreachable } from "./unreachable.js";

/** One or two sentences for a person: what, where, what to do. */
export function describeFailure(failure: Failure): string {
  switch (failure.code) {
    case "USAGE":
    case "BATCH_REFUSED":
      return `${failure.option === null ? "" : `${failure.option}: `}${failure.problem}. ${failure.remedy}`;
    case "DOCUMENT_INVALID":
      return `${describePlace(failure)}${failure.problem}. ${failure.remedy}`;
    case "DOCUMENT_UNSUPPORTED":
      return `${describePlace(failure)}${failure.problem}. Supported: ${failure.supported.join(", ")}`;
    case "INPUT_MISSING":
    case "MODEL_INVALID":
      return `${failure.file}: ${failure.problem}. ${failure.remedy}`;
    case "DATA_INVALID":
      return `${describeCell(failure)}: ${failure.problem}. ${failure.remedy}`;
    case "DATA_MISMATCH":
      return `${failure.file}${failure.elementPath === null ? "" : ` against ${failure.elementPath}`}: ${failure.problem}. ${failure.remedy}`;
    case "CHOICE_UNSUPPORTED":
      return describeChoice(failure);
    case "OUTPUT_UNWRITABLE":
    case "CHECKPOINT_UNUSABLE":
    case "CHECKPOINT_UNREADABLE":
    case "STORE_UNAVAILABLE":
    case "STORE_INCOMPATIBLE":
    case "STORE_DAMAGED":
      return `${failure.path}: ${failure.problem}. ${failure.remedy}`;
    case "ENDPOINT_UNAVAILABLE":
      return `${failure.endpoint}: ${failure.problem}. ${failure.remedy}`;
    case "ENGINE_UNAVAILABLE":
      return `engine ${failure.engine}: ${failure.problem}. ${failure.remedy}`;
    case "COLLECTIVE_UNAVAILABLE":
      return `collective ${failure.collective}: ${failure.problem}. ${failure.remedy}`;
    case "LAUNCH_FAILED":
      return `could not start a worker on ${failure.host}: ${failure.problem}. ${failure.remedy}`;
    case "BATCH_FAILED":
      return `batch job ${failure.batchJob} (${failure.state}): ${failure.problem}. ${failure.remedy}`;
    case "RENDEZVOUS_TIMEOUT":
      return `${failure.joined} of ${failure.expected} workers joined within ${failure.waitedMs} ms: ${failure.problem}`;
    case "WORKER_REFUSED":
      return `worker ${failure.workerId} on ${failure.host} was refused: ${failure.what} is ${failure.got}, expected ${failure.expected}. ${failure.remedy}`;
    case "WORKER_LEFT":
    case "WORKER_DIED":
    case "WORKER_SILENT":
    case "WORKER_STALLED":
      return `${describeLoss(failure)}${describeRepetition(failure)}`;
    case "COORDINATOR_LOST":
      return `coordinator ${failure.endpoint}: ${failure.problem}`;
    case "PROTOCOL_VIOLATION":
      return `${failure.from} broke the protocol: ${failure.problem}`;
    case "NOT_FINITE":
      return `epoch ${failure.epoch}, step ${failure.step}: ${failure.tensor} is ${failure.value} at learning rate ${failure.learningRate}. ${failure.remedy}`;
    case "WORKERS_DIVERGED":
      return describeDivergence(failure);
    case "QUOTA_EXCEEDED":
    case "EVALUATION_TIMEOUT":
      return `${failure.problem}. ${failure.remedy}`;
    case "NOT_FOUND":
      return `there is no ${failure.what} ${failure.id}. ${failure.remedy}`;
    case "CONFLICT":
      return `${failure.what} ${failure.id}: ${failure.problem}. ${failure.remedy}`;
    case "RESUME_MISMATCH":
      return `${failure.checkpoint} is of another job: ${failure.what} was ${failure.expected}, and is ${failure.got}. ${failure.remedy}`;
    case "INTERRUPTED":
      return `${describeInterruption(failure)}${describeRepetition(failure)}`;
    case "CANCELLED":
      return `${failure.what} ${failure.id} was cancelled`;
    case "REPORTED":
      return failure.problem;
    case "INTERNAL":
      return `internal error: ${failure.problem}`;
    default:
      return unreachable(failure);
  }
}
