import { basename, join } from "node:path";
import { blockPlan, layoutOf } from "../../shared/arena-layout.js";
import type { MeasuredChoice } from "../../shared/collective-choice.js";
import { OPTIMIZER_STATE } from "../../shared/optimizer-state.js";
import type { EngineFacts, FromWorker } from "../../shared/protocol/control-message.js";
import { outerOptimizer } from "../../shared/round-rules.js";
import type { EpochEvent, FinishedEvent } from "../../shared/train-events.js";
import { runDirectoryOf } from "../checkpoint/choose-checkpoint.js";
import { BlockHashLog } from "../output/block-hash-log.js";
import { HASH_LOG_FILE } from "../output/hash-log-format.js";
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
  readonly #history: EpochEvent[];
  #hashes: BlockHashLog | null = null;
  #beginning: RunBeginning | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(run: TrainingRun, metrics: MetricsCsv) {
    this.#run = run;
    this.#metrics = metrics;
    this.#history = [...(run.resumed?.description.history ?? [])];
  }

  /** @throws RingstrasseError OUTPUT_UNWRITABLE */
  static async open(run: TrainingRun): Promise<RunRecorder> {
    const before = run.resumed?.description.history;
    return new RunRecorder(run, await MetricsCsv.create(run.output.metricsFile, before));
  }

  /** The workers are known, and so is the engine that computes. @returns what users should know */
  async begin(beginning: RunBeginning): Promise<string[]> {
    this.#beginning = beginning;
    const warnings = engineWarnings(this.#run, beginning.engine);
    await this.#inTurn(async () => {
      const note = await this.#openHashLog(hashLogHeader(this.#run, beginning));
      if (note !== null) warnings.push(note);
    });
    return warnings;
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

  /** @returns what is missing of it; null: nothing */
  async #openHashLog(header: HashLogStart): Promise<string | null> {
    const { resumed, output } = this.#run;
    if (resumed === null) {
      this.#hashes = await BlockHashLog.create(output.hashLogFile, header);
      return null;
    }
    const { epoch, step, progress } = resumed.description.position;
    const path = join(runDirectoryOf(resumed) ?? output.path, HASH_LOG_FILE);
    const earlier = { path, epochs: progress === null ? epoch : epoch - 1, steps: step };
    const { log, isWhole } = await BlockHashLog.goOn(output.hashLogFile, header, earlier);
    this.#hashes = log;
    return isWhole
      ? null
      : `${path} does not have all hashes up to step ${step}: \`ringstrasse diff\` sees less of this run`;
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write);
    return this.#writing;
  }
}

/** Whoever computes otherwise than the run before may get other bits: that is the user's choice, and said. */
function engineWarnings({ resumed, spec }: TrainingRun, engine: EngineFacts): string[] {
  if (resumed === null) return [];
  const before = resumed.description;
  const facts = ["name", "version", "instructionSet", "probeSha256"] as const;
  const changed = facts.find((fact) => before.engine[fact] !== engine[fact]);
  const told = "the result may have other bits than that of the undisturbed run";
  return [
    ...(changed === undefined
      ? []
      : [`the engine's ${changed} was ${before.engine[changed]}, and is ${engine[changed]}: ${told}`]),
    ...(before.threads === spec.threads
      ? []
      : [`a replica was computed by ${before.threads} threads, and is by ${spec.threads}: ${told}`]),
  ];
}

type HashLogStart = Parameters<typeof BlockHashLog.create>[1];

function hashLogHeader(run: TrainingRun, { engine, collective, ordered }: RunBeginning): HashLogStart {
  const { spec, policy, datasetSha256, resumable } = run;
  const layout = layoutOf(spec.model);
  const { accumulate, clipNorm, precision, schedule, warmUpSteps, payload, rounds, mostStepsAhead } = spec.stepRules;
  const committed = rounds === null ? spec.optimizer : outerOptimizer(rounds);
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
      ...{ accumulate, clipNorm, precision, schedule, warmUpSteps, compress: payload.format },
      lossScale: payload.format === "fp16" ? payload.lossScale : null,
      topkFraction: payload.format === "topk" ? payload.fraction : null,
      rounds,
      mostStepsAhead,
      loss: spec.model.loss,
      datasetSha256,
      ...{ testSplit: resumable.testSplit, labelIndex: resumable.labelIndex },
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
    stateNames: [...OPTIMIZER_STATE[committed.kind]],
    granularity: spec.blockHashes,
  };
}
