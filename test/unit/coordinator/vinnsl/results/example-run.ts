import { readFileSync } from "node:fs";
import { settleJob } from "../../../../../coordinator/job/job-settings.js";
import { parseVinnslXml } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-xml.js";
import { readNetwork } from "../../../../../coordinator/vinnsl/read-network.js";
import type { EpochFigures, RunFacts } from "../../../../../coordinator/vinnsl/results/run-facts.js";
import { arenaLayout } from "../../../../../shared/arena-layout.js";
import { type JobSpec, JobSpecSchema } from "../../../../../shared/job-spec.js";
import { parametersOf } from "../../../../../shared/model-spec.js";
import { PLAIN_STEP } from "../../../../../shared/step-rules.js";
import { FinishedEventSchema } from "../../../../../shared/train-events.js";

/** A document of examples/, as bytes. */
export function exampleDocument(path: string): Uint8Array {
  return readFileSync(new URL(`../../../../../examples/${path}`, import.meta.url));
}

/** What a run of this document could have left, with made-up figures and weights. */
export function exampleRun(document: Uint8Array, changes: Partial<RunFacts> = {}): RunFacts {
  const spec = specOf(document);
  const { parameterCount } = arenaLayout(parametersOf(spec.model));
  const floats = Float32Array.from({ length: parameterCount }, (_, index) => Math.fround(Math.sin(index) * 1e-3));
  const history = Array.from({ length: 12 }, (_, index) => epochFigures(index, spec));
  const { event: _event, ...finished } = FinishedEventSchema.parse({
    event: "finished", jobId: spec.jobId, status: "FINISHED", engine: "wasm", collective: "ring", ordered: true,
    workers: 2, replicas: 4, threads: 1, epochs: 12, steps: 12, trainLoss: 1.5e-7, trainAccuracy: 0.9, testLoss: 0.2,
    testAccuracy: 0.95, samplesPerSecond: 1e4, communicationFraction: 0.1, wallMs: 12_345.678,
    weightsSha256: "0".repeat(64), stateSha256: "0".repeat(64), modelDir: "/runs/1/model",
  }); // biome-ignore format: one line per few fields
  return {
    object: parseVinnslXml(document),
    dataName: null,
    spec,
    finished,
    history,
    weights: new Uint8Array(floats.buffer),
    finishedAt: new Date("2024-02-29T23:59:59.999Z"),
    version: "0.1.0",
    resultFile: "result.json",
    weightsFile: "model/weights.bin",
    ...changes,
  };
}

/** Figures of one epoch; real numbers that need an exponent in JavaScript among them. */
export function epochFigures(epoch: number, { model }: Pick<JobSpec, "model">): EpochFigures {
  const isClass = model.targets.kind === "class";
  return {
    epoch, epochs: 12, steps: epoch + 1, trainLoss: 1.5 * 10 ** -epoch,
    trainAccuracy: isClass ? epoch / 12 : null, trainMeanAbsoluteError: isClass ? null : 1e-9,
    testLoss: epoch % 3 === 2 ? 1e-8 : null, testAccuracy: isClass && epoch % 3 === 2 ? 1 : null,
    testMeanAbsoluteError: !isClass && epoch % 3 === 2 ? 2.5 : null,
    samplesPerSecond: 1e4, communicationFraction: 0.1, elapsedMs: 1,
  }; // biome-ignore format: one line per few fields
}

function specOf(document: Uint8Array): JobSpec {
  const settings = settleJob({
    definition: readNetwork(document, "net.xml"),
    options: {},
    sources: {},
    file: "net.xml",
  });
  const rows = {
    path: "/data/rows",
    rowCount: 100,
    features: 4,
    featureType: "float32",
    targetType: "class",
    targets: 1,
  };
  return JobSpecSchema.parse({
    jobId: "5ab91658e8cc45946600ea11", seed: settings.seed.value, replicas: 4, threads: 1, engine: "wasm",
    model: settings.model, optimizer: settings.optimizer, stepRules: PLAIN_STEP, epochs: 12, batchSize: 10,
    lossThreshold: settings.lossThreshold.value,
    dataset: { train: rows, test: null, transform: { kind: "none" }, classNames: null },
    evaluateEvery: 1, blockHashes: "epoch",
  }); // biome-ignore format: one line per few fields
}
