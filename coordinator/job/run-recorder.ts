import { basename, join } from "node:path";
import { blockPlan, layoutOf } from "../../shared/arena-layout.js";
import type { MeasuredChoice } from "../../shared/collective-choice.js";
import { OPTIMIZER_STATE } from "../../shared/optimizer-state.js";
import type { EngineFacts, FromWorker } from "../../shared/protocol/control-message.js";
import type { EpochEvent, FinishedEvent } from "../../shared/train-events.js";
import { BlockHashLog } from "../output/block-hash-log.js";
import { MetricsCsv } from "../output/metrics-csv.js";
import { writeResult } from "../output/write-result.js";
import { writeResultDocuments } from "../vinnsl/results/write-result-documents.js";
import { documentsOfRun } from "./documents-of-run.js";
import type { TrainingRun } from "./training-run.js";

/** What is settled when the workers are connected. */
export interface RunBeginning {
  readonly engine: EngineFacts;
  readonly collective: string;
  /** Whether it folds in the canonical order. */
  readonly ordered: boolean;
  /** How it was chosen; null: not by measurement. */
  readonly measured: MeasuredChoice | null;
}

/** Keeps a run's records on disk while it goes: metrics, block hashes, and at last the result. Writes one after the other. */
export class RunRecorder implements AsyncDisposable {
  readonly #run: TrainingRun;
  readonly #metrics: MetricsCsv;
  readonly #history: EpochEvent[] = [];
  #hashes: BlockHashLog | null = null;
  #beginning: RunBeginning | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(run: TrainingRun, metrics: MetricsCsv) {
    this.#run = run;
    this.#metrics = metrics;
  }

  /** @throws RingstrasseError OUTPUT_UNWRITABLE */
  static async open(run: TrainingRun): Promise<RunRecorder> {
    return new RunRecorder(run, await MetricsCsv.create(run.output.metricsFile));
  }

  /** The workers are known, and so is the engine that computes. */
  begin(beginning: RunBeginning): Promise<void> {
    this.#beginning = beginning;
    return this.#inTurn(async () => {
      const header = hashLogHeader(this.#run, beginning);
      this.#hashes = await BlockHashLog.create(this.#run.output.hashLogFile, header);
    });
  }

  epoch(event: EpochEvent): Promise<void> {
    this.#history.push(event);
    return this.#inTurn(() => this.#metrics.append(event));
  }

  blockHashes({ epochHashes, stepHashes }: Extract<FromWorker, { kind: "blockHashes" }>): Promise<void> {
    return this.#inTurn(async () => {
      if (stepHashes !== null) await this.#hashes?.addReplicas(stepHashes);
      if (epochHashes !== null) await this.#hashes?.addEpoch(epochHashes);
    });
  }

  /** Resolves when everything recorded so far is on disk. @throws RingstrasseError OUTPUT_UNWRITABLE */
  flush(): Promise<void> {
    return this.#writing;
  }

  /** The last thing written: whoever finds `result.json` finds a finished run. */
  async finish(finished: FinishedEvent, weights: Uint8Array): Promise<void> {
    const { output, configuration } = this.#run;
    const ended = { finished, history: this.#history, weights, finishedAt: new Date() };
    const places = { resultFile: basename(output.resultFile), weightsFile: join("model", "weights.bin") };
    await writeResultDocuments(output.path, documentsOfRun(this.#run, ended, places));
    const { engine = null, measured = null } = this.#beginning ?? {};
    const chosen = { engine: finished.engine, engineFacts: engine, measuredCollectives: measured };
    const settled = { ...configuration, ...chosen };
    await writeResult(output.resultFile, { finished, history: this.#history, configuration: settled });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#hashes?.[Symbol.asyncDispose]();
    await this.#metrics[Symbol.asyncDispose]();
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write);
    return this.#writing;
  }
}

function hashLogHeader(
  run: TrainingRun,
  { engine, collective, ordered }: RunBeginning,
): Parameters<typeof BlockHashLog.create>[1] {
  const { spec, policy, datasetSha256 } = run;
  const layout = layoutOf(spec.model);
  const { accumulate, clipNorm, schedule, warmUpSteps, payload } = spec.stepRules;
  return {
    jobId: spec.jobId,
    numerics: {
      engine: engine.name,
      engineVersion: engine.version,
      instructionSet: engine.instructionSet,
      threads: spec.threads,
      seed: spec.seed,
      batchSize: spec.batchSize,
      epochs: spec.epochs,
      optimizer: spec.optimizer,
      ...{ accumulate, clipNorm, schedule, warmUpSteps, compress: payload.format },
      lossScale: payload.format === "fp16" ? payload.lossScale : null,
      loss: spec.model.loss,
      datasetSha256,
    },
    machinery: {
      workers: policy.workers,
      collective,
      transport: policy.workers === 1 ? "none" : policy.transport,
      ordered,
    },
    replicas: spec.replicas,
    blocks: blockPlan(layout.paddedLength, spec.replicas),
    tensors: [...layout.slots, ...layout.statistics].map(({ name, shape, offset, length }) => ({
      name,
      shape: [...shape],
      offset,
      length,
    })),
    stateNames: [...OPTIMIZER_STATE[spec.optimizer.kind]],
    granularity: spec.blockHashes,
  };
}
