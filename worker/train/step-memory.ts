import { hostname } from "node:os";
import { microBatchSpan } from "../../shared/epoch-plan.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { JobSpec } from "../../shared/job-spec.js";
import { layerWithShapes, widthOf } from "../../shared/layer-shape.js";
import { readAheadSizeBytes } from "../data/read-ahead.js";
import { forwardRowBytes, forwardRows } from "../engine/forward-rows.js";

/** What a WebAssembly memory can address. */
const WASM_BYTES = 4 * 2 ** 30;
/** Layers whose outputs are kept until the gradients are known. */
const KEPT = new Set(["dense", "conv2d", "maxPool", "avgPool", "batchNorm"]);
/** What runtimes say when memory is out; the last also where a buffer is larger than the runtime can make one. */
const MEMORY_MESSAGE =
  /allocation failed|out of memory|Cannot enlarge memory|could not allocate|Aborted\(OOM\)|Invalid (?:typed array|array buffer) length/i;
const REMEDY =
  "Use a larger --accumulate, a smaller --batch-size, or more --replicas, so that fewer rows are computed at once; or a smaller network";
const EVALUATION_REMEDY =
  "Use fewer workers on this machine or a smaller network, or hold no rows out (--test-split 0)";

/** Rows that one replica computes at once, at most: the first part of replica 0's slice of a full step is the longest. Pure. */
export function mostRowsAtOnce({ batchSize, replicas, dataset, stepRules }: JobSpec): number {
  const step = { from: 0, to: Math.min(batchSize, dataset.train.rowCount) };
  return microBatchSpan(step, { replica: 0, replicas, accumulation: 0, accumulate: stepRules.accumulate }).to;
}

/**
 * Test rows that one replica evaluates at once, at most; 0 where there are none. The same for any number of workers, so that the figures have
 * the same bits. Pure.
 */
export function evaluationRows({ dataset, model }: JobSpec): number {
  return Math.min(dataset.test?.rowCount ?? 0, forwardRows(model));
}

/**
 * Bytes that any engine needs for one micro-batch: its rows, those read ahead, what the layers make of them, and the gradient of the widest
 * of these. A lower bound. Pure.
 */
export function stepSizeBytes(spec: JobSpec): number {
  const kept = layerWithShapes(spec.model).filter(({ layer }) => KEPT.has(layer.kind));
  const widths = kept.map(({ output }) => widthOf(output));
  const perRow = widths.reduce((sum, width) => sum + width, spec.model.inputs + Math.max(0, ...widths));
  const rows = mostRowsAtOnce(spec);
  return rows * perRow * Float32Array.BYTES_PER_ELEMENT + readAheadSizeBytes(spec.dataset.train, rows);
}

/**
 * Refuses a job whose steps can't fit in this machine's memory, before anything is allocated for them: the system would kill the
 * process, or another one, without a word.
 * @param freeBytes of this machine, or of the container
 * @param workersHere that share it
 * @throws RingstrasseError ENGINE_UNAVAILABLE
 */
export function checkStepMemory(spec: JobSpec, freeBytes: number, workersHere: number): void {
  const shareBytes = freeBytes / workersHere;
  const stepBytes = stepSizeBytes(spec);
  const evaluationBytes = evaluationRows(spec) * forwardRowBytes(spec.model);
  const neededBytes = Math.max(stepBytes, evaluationBytes);
  const roomBytes = spec.engine === "wasm" ? Math.min(shareBytes, WASM_BYTES) : shareBytes;
  // With GPUs the batch has to fit there; the library says so itself.
  if (neededBytes <= roomBytes) return;
  const room =
    roomBytes === shareBytes
      ? `${gigabytes(freeBytes)} are free on ${hostname()}${workersHere > 1 ? ` for ${workersHere} workers` : ""}`
      : `WebAssembly has room for ${gigabytes(roomBytes)}`;
  const needed =
    neededBytes === stepBytes
      ? `a step of ${mostRowsAtOnce(spec)} rows needs`
      : `evaluating ${evaluationRows(spec)} test rows at once needs`;
  const problem = `${needed} ${gigabytes(neededBytes)} or more, and ${room}`;
  throw noRoom(spec, problem, neededBytes === stepBytes ? REMEDY : EVALUATION_REMEDY);
}

/** The same failure for memory that runs out while the job is on its way; anything else stays what it is. */
export function namedMemoryFailure(thrown: unknown, spec: JobSpec): unknown {
  if (!(thrown instanceof Error) || thrown instanceof RingstrasseError) return thrown;
  if (!MEMORY_MESSAGE.test(thrown.message)) return thrown;
  const problem = `no memory is left on ${hostname()} for a step of ${mostRowsAtOnce(spec)} rows`;
  return noRoom(spec, problem, REMEDY, thrown);
}

function noRoom({ engine }: JobSpec, problem: string, remedy: string, cause?: unknown): RingstrasseError {
  return new RingstrasseError({ code: "ENGINE_UNAVAILABLE", engine, problem, remedy }, { cause });
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}
