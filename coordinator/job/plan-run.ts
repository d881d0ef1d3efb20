import { join, relative } from "node:path";
import type { OptionSource } from "../../shared/cli/option-table.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { PlannedJobSpec } from "../../shared/job-spec.js";
import { VERSION } from "../../shared/version.js";
import type { ResumableJob } from "../checkpoint/checkpoint-format.js";
import { checkpointSettings } from "../checkpoint/checkpoint-settings.js";
import { liesIn } from "../checkpoint/choose-checkpoint.js";
import { differenceOf, resumableJob } from "../checkpoint/resumable-job.js";
import type { SavedCheckpoint } from "../checkpoint/saved-checkpoint.js";
import type { TrainOptionName, TrainOptions } from "../cli/train-options.js";
import { type PreparedDataset, prepareDataset } from "../data/prepare-dataset.js";
import type { RowsHold } from "../data/rows-hold.js";
import type { LocalEngine } from "../engines/settle-local-engine.js";
import type { GroupPolicy } from "../group/group-policy.js";
import { prepareOutputDirectory } from "../output/output-directory.js";
import type { OutputHold } from "../output/output-hold.js";
import type { NetworkDefinition } from "../vinnsl/network-definition.js";
import { parseVinnslXml } from "../vinnsl/object/parse-vinnsl-xml.js";
import type { VinnslObject } from "../vinnsl/object/vinnsl-object.js";
import { readNetwork } from "../vinnsl/read-network.js";
import { effectiveConfiguration, testSplitOf } from "./configuration.js";
import { type JobSettings, settleJob } from "./job-settings.js";
import { rowsOfUpdate, scaledOptimizer, stepRulesOf } from "./step-rules-of.js";
import type { TrainingRun } from "./training-run.js";
import { refuseContradictions, refuseUnfitCollective, wantedCollective } from "./wanted-collective.js";

const HEARTBEAT_INTERVAL_MS = 500;

/** A document that was read and settled: what is wanted, before the data is known. */
export interface ReadJob {
  readonly object: VinnslObject;
  readonly definition: NetworkDefinition;
  readonly settings: JobSettings;
  readonly options: TrainOptions;
}

export interface DocumentToRead {
  /** XML: a whole `<vinnsl>`, or a bare `<definition>`. */
  readonly bytes: Uint8Array;
  /** For messages; null when it came from elsewhere. */
  readonly file: string | null;
  readonly options: TrainOptions;
  readonly sources: Partial<Record<TrainOptionName, OptionSource>>;
}

/** @throws RingstrasseError DOCUMENT_INVALID, DOCUMENT_UNSUPPORTED, CHOICE_UNSUPPORTED, COLLECTIVE_UNAVAILABLE, USAGE */
export function readJob({ bytes, file, options, sources }: DocumentToRead): ReadJob {
  const definition = readNetwork(bytes, file);
  const settings = settleJob({ definition, options, sources, file });
  const job = { object: parseVinnslXml(bytes), definition, settings, options };
  refuseContradictions(job, file);
  refuseUnfitCollective(job);
  return job;
}

export interface RowsToPrepare {
  readonly dataPath: string;
  /** Labels of IDX images; null: found by MNIST's naming. */
  readonly labelsPath: string | null;
  readonly cacheDirectory: string;
  /** Keeps them there until it is disposed of. */
  readonly hold: RowsHold;
  /** What a gzip file may hold, at most; absent: any amount. */
  readonly maxUnpackedBytes?: number;
  readonly signal: AbortSignal;
}

/** The rows that a job trains on. @throws RingstrasseError as {@link prepareDataset} */
export function prepareRows({ definition, settings, options }: ReadJob, rows: RowsToPrepare): Promise<PreparedDataset> {
  return prepareDataset({
    path: rows.dataPath,
    labelsPath: rows.labelsPath,
    testPath: options["test-data"] ?? null,
    testLabelsPath: options["test-labels"] ?? null,
    features: settings.model.inputs,
    image: settings.model.inputShape,
    target: settings.model.targets,
    labelIndex: settings.labelIndex.value,
    testSplit: settings.testSplit.value,
    seed: settings.seed.value,
    cacheDirectory: rows.cacheDirectory,
    hold: rows.hold,
    maxUnpackedBytes: rows.maxUnpackedBytes,
    elementPaths: {
      input: `${definition.input.path}/size`,
      output: `${definition.output.path}/size`,
      labelIndex: definition.parameters.paths["labelIndex"] ?? null,
    },
    signal: rows.signal,
  });
}

export interface RunToPlan {
  readonly jobId: JobId;
  readonly prepared: PreparedDataset;
  /** N; 1 ≤ N ≤ replicas. */
  readonly workers: number;
  /** Of the ring. */
  readonly transport: "tcp" | "ipc";
  /** What `auto` stands for, and why; null: the workers that will be there decide. */
  readonly engine: LocalEngine | null;
  /** Names of document and data, for people. */
  readonly document: string;
  readonly data: string;
  /** The output directory to be; made ready. */
  readonly out: string;
  /** Keeps other processes from it, until it is disposed of; absent: none of them writes there anyway. */
  readonly hold?: OutputHold;
  /** What those who see the run are told instead of its path; absent: its absolute path. */
  readonly shownOut?: string;
  /** That it goes on from; absent: it begins at its beginning. */
  readonly resumed?: SavedCheckpoint | null;
}

/**
 * Decides a run wholly, and makes its output directory ready.
 * @throws RingstrasseError RESUME_MISMATCH, before anything is touched; OUTPUT_UNWRITABLE
 */
export async function planRun(job: ReadJob, plan: RunToPlan): Promise<TrainingRun> {
  const { object, settings, options } = job;
  const { prepared, workers, transport, document, data, resumed = null } = plan;
  const spec = jobSpec(job, plan);
  const collective = collectiveOf(job);
  const testData = options["test-data"] ?? null;
  const resumable = resumableOf(spec, job, prepared);
  if (resumed !== null) refuseOtherJob(resumed, resumable, testData);
  // One that goes on from elsewhere is a new one here: it may neither remove another's checkpoints nor be taken for it.
  const resumes = resumed !== null && (await liesIn(resumed, plan.out));
  const output = await prepareOutputDirectory(plan.out, { resumes, hold: plan.hold });
  const checkpoints = checkpointSettings(options);
  const shownOut = plan.shownOut ?? output.path;
  const resumedFile = resumed === null ? null : shownFile(resumed, output.path, plan.shownOut);
  return {
    spec,
    object,
    configuration: effectiveConfiguration(spec, settings, {
      document,
      data,
      testData,
      out: shownOut,
      workers,
      collective: workers === 1 ? "local" : collective,
      transport,
      encrypt: options.encrypt ?? false,
      ...(collective === "mpi" ? { mpiMode: options["mpi-mode"] ?? "ordered" } : {}),
      engineReason: plan.engine?.reason ?? null,
      checkpoints,
      resumed: resumed === null ? null : { ...resumed.description, file: resumedFile },
    }),
    dataName: dataNameOf(job),
    policy: groupPolicy(plan, collective, options),
    output,
    shownOut,
    labelColumn: prepared.labelColumn,
    featureNames: prepared.featureNames,
    datasetSha256: prepared.contentSha256,
    version: VERSION,
    ...{ resumable, checkpoints, resumed, resumedFile },
  };
}

/** A server that is reported to names the data of its jobs in their documents, and hands over copies. */
function dataNameOf({ definition, options }: ReadJob): string | null {
  const isNamed = options["report-to"] !== undefined && definition.dataSchemaId !== null;
  return isNamed ? null : (options.data ?? null);
}

/** Of a checkpoint in the output directory, where that has another name for others. */
function shownFile({ path }: SavedCheckpoint, out: string, shownOut: string | undefined): string {
  return shownOut === undefined ? path : join(shownOut, relative(out, path));
}

function resumableOf(spec: PlannedJobSpec, { settings, options }: ReadJob, prepared: PreparedDataset): ResumableJob {
  return resumableJob(spec, {
    datasetSha256: prepared.contentSha256,
    testSplit: testSplitOf(spec, settings, options["test-data"] ?? null),
    labelIndex: settings.labelIndex.value,
  });
}

/** @throws RingstrasseError RESUME_MISMATCH naming the first difference */
function refuseOtherJob(
  { path, description: { job } }: SavedCheckpoint,
  own: ResumableJob,
  testData: string | null,
): void {
  // With test data of its own the split plays no part; checkpoints of former versions have one there all the same.
  const now = testData === null ? own : { ...own, testSplit: job.testSplit };
  const difference = differenceOf(job, now);
  if (difference !== null) throw new RingstrasseError({ code: "RESUME_MISMATCH", checkpoint: path, ...difference });
}

function jobSpec({ settings, options }: ReadJob, { jobId, prepared, engine }: RunToPlan): PlannedJobSpec {
  const rowCount = prepared.dataset.train.rowCount;
  const batchSize = Math.min(settings.batchSize.value ?? rowCount, rowCount);
  const epochs = settings.epochs.value;
  const replicas = settings.replicas.value;
  return {
    jobId,
    seed: settings.seed.value,
    replicas,
    threads: settings.threads.value,
    engine: engine?.engine ?? settings.engine.value,
    model: settings.model,
    optimizer: scaledOptimizer(settings.optimizer, settings.step, rowsOfUpdate(settings.step, batchSize, replicas)),
    stepRules: stepRulesOf(settings.step, { epochs, rowCount, batchSize }),
    epochs,
    batchSize,
    lossThreshold: settings.lossThreshold.value,
    dataset: prepared.dataset,
    evaluateEvery: options["evaluate-every"] ?? 1,
    blockHashes: options["block-hashes"] ?? "epoch",
  };
}

/** Asynchronous workers form a star, whatever their hosts are. */
function collectiveOf(job: ReadJob): GroupPolicy["collective"] {
  return job.settings.step.strategy.value === "async" ? "parameter-server" : wantedCollective(job);
}

function groupPolicy(
  { workers, transport }: RunToPlan,
  collective: GroupPolicy["collective"],
  options: TrainOptions,
): GroupPolicy {
  return {
    workers,
    joinTimeoutMs: 1000 * (options["join-timeout"] ?? 60),
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    silentAfterMs: 1000 * (options["silence-timeout"] ?? 10),
    stalledAfterMs: 1000 * (options["stall-timeout"] ?? 120),
    transport,
    collective,
    mpiMode: options["mpi-mode"] ?? "ordered",
    encrypt: options.encrypt ?? false,
    faults: options["inject-fault"] ?? [],
  };
}
