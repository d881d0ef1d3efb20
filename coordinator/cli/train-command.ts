import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import type { ParsedCommand } from "../../shared/cli/parse-command.js";
import { JobIdSchema } from "../../shared/ids.js";
import type { JobSpec } from "../../shared/job-spec.js";
import { createLogger } from "../../shared/logger.js";
import type { FinishedEvent, TrainEvent } from "../../shared/train-events.js";
import { VERSION } from "../../shared/version.js";
import { writeFailure } from "../../shared/write-failure.js";
import { type PreparedDataset, prepareDataset } from "../data/prepare-dataset.js";
import { effectiveConfiguration } from "../job/configuration.js";
import { type JobSettings, settleJob } from "../job/job-settings.js";
import { refuseUnsupported } from "../job/refuse-unsupported.js";
import { resolveData } from "../job/resolve-data.js";
import { type JobRun, runJob } from "../job/run-job.js";
import { LocalLauncher } from "../launcher/local-launcher.js";
import { prepareOutputDirectory } from "../output/output-directory.js";
import type { NetworkDefinition } from "../vinnsl/network-definition.js";
import { readNetwork } from "../vinnsl/read-network.js";
import { readInput } from "./read-input.js";
import type { TRAIN_OPTIONS, TrainOptions } from "./train-options.js";

const HEARTBEAT_INTERVAL_MS = 500;

export interface TrainSurroundings {
  /** The compiled `ringstrasse` command, which workers are started with. */
  readonly entry: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Where prepared rows are kept unless `--data-dir` says otherwise. */
  readonly cacheDirectory: string;
  readonly stderr: NodeJS.WritableStream;
  readonly emit: (event: TrainEvent) => void;
  /** For remarks to a person that are no events. */
  readonly note: (text: string) => void;
  /** Aborted on SIGINT and SIGTERM, with an INTERRUPTED failure. */
  readonly signal: AbortSignal;
}

/**
 * `ringstrasse train`: document and options → settings → rows → job → result. Nothing is written before document, options and
 * data are known to be sound.
 * @throws RingstrasseError with what went wrong first.
 */
export async function train(
  command: ParsedCommand<typeof TRAIN_OPTIONS>,
  around: TrainSurroundings,
): Promise<FinishedEvent> {
  const { values: options, sources } = command;
  const [file = ""] = command.positionals;
  refuseUnsupported(options);
  const definition = readNetwork(await readInput(file), file);
  const settings = settleJob({ definition, options, sources, file });
  for (const message of definition.warnings) around.emit({ event: "warning", message });
  const dataPath = await resolveData(options.data ?? null, definition, file);
  const prepared = await prepareRows({ definition, settings, options, dataPath, around });
  for (const message of prepared.warnings) around.emit({ event: "warning", message });
  around.signal.throwIfAborted();

  const jobId = JobIdSchema.parse(newJobId(file));
  const spec = jobSpec(jobId, settings, options, prepared);
  const logLevel = options["log-level"] ?? "warn";
  const log = createLogger(logLevel, { process: "coordinator", jobId });
  const folder = await socketFolder();
  try {
    const output = await prepareOutputDirectory(options.out ?? join("runs", jobId));
    const run: JobRun = {
      spec,
      configuration: effectiveConfiguration(spec, settings, {
        document: file,
        data: dataPath,
        testData: options["test-data"] ?? null,
        out: output.path,
        collective: settings.workers.value === 1 ? "local" : "ring",
        transport: ringTransport(options),
      }),
      policy: groupPolicy(settings, options),
      controlEndpoint: controlEndpoint(options, folder),
      token: options.token ?? randomBytes(24).toString("hex"),
      logLevel,
      output,
      labelColumn: prepared.labelColumn,
      datasetSha256: prepared.contentSha256,
      version: VERSION,
    };
    // Their sockets lie in the run's own folder, so that even workers that are killed leave nothing behind.
    const workerEnvironment = { ...around.environment, TMPDIR: folder };
    const byHand = options.launcher === "none";
    const launcher = byHand ? null : new LocalLauncher(around.entry, workerEnvironment, around.stderr);
    const listening = (endpoint: string) => {
      if (byHand)
        around.note(invitation(settings.workers.value, endpoint, options.token === undefined ? run.token : null));
    };
    return await runJob(run, { launcher, emit: around.emit, listening, signal: around.signal, log });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface RowsRequest {
  readonly definition: NetworkDefinition;
  readonly settings: JobSettings;
  readonly options: TrainOptions;
  readonly dataPath: string;
  readonly around: TrainSurroundings;
}

function prepareRows({ definition, settings, options, dataPath, around }: RowsRequest): Promise<PreparedDataset> {
  const { targets } = settings.model;
  return prepareDataset({
    path: dataPath,
    labelsPath: options.labels ?? null,
    testPath: options["test-data"] ?? null,
    testLabelsPath: options["test-labels"] ?? null,
    features: settings.model.inputs,
    target: targets,
    labelIndex: settings.labelIndex.value,
    testSplit: settings.testSplit.value,
    seed: settings.seed.value,
    cacheDirectory: options["data-dir"] ?? join(around.cacheDirectory, "rows"),
    elementPaths: {
      input: `${definition.input.path}/size`,
      output: `${definition.output.path}/size`,
      labelIndex: definition.parameters.paths["labelIndex"] ?? null,
    },
    signal: around.signal,
  });
}

function jobSpec(
  jobId: JobSpec["jobId"],
  settings: JobSettings,
  options: TrainOptions,
  prepared: PreparedDataset,
): JobSpec {
  const rowCount = prepared.dataset.train.rowCount;
  return {
    jobId,
    seed: settings.seed.value,
    replicas: settings.replicas.value,
    threads: 1,
    engine: "wasm",
    model: settings.model,
    optimizer: settings.optimizer,
    epochs: settings.epochs.value,
    batchSize: Math.min(settings.batchSize.value ?? rowCount, rowCount),
    lossThreshold: settings.lossThreshold.value,
    dataset: prepared.dataset,
    evaluateEvery: options["evaluate-every"] ?? 1,
    blockHashes: options["block-hashes"] ?? "epoch",
  };
}

function groupPolicy(settings: JobSettings, options: TrainOptions): JobRun["policy"] {
  return {
    workers: settings.workers.value,
    joinTimeoutMs: 1000 * (options["join-timeout"] ?? 60),
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    silentAfterMs: 1000 * (options["silence-timeout"] ?? 10),
    stalledAfterMs: 1000 * (options["stall-timeout"] ?? 120),
    transport: ringTransport(options),
    faults: options["inject-fault"] ?? [],
  };
}

/** Workers started by hand may be on several hosts, so their ring is tcp unless told otherwise. */
function ringTransport(options: TrainOptions): "tcp" | "ipc" {
  if (options.transport === "tcp" || options.transport === "ipc") return options.transport;
  return options.launcher === "none" ? "tcp" : "ipc";
}

/** A unix socket for workers of our own; an address when they come from elsewhere or one was asked for. */
function controlEndpoint(options: TrainOptions, folder: string): string {
  const wanted = options.host !== undefined || options.port !== undefined || options.launcher === "none";
  return wanted ? `tcp://${options.host ?? "127.0.0.1"}:${options.port ?? 0}` : `ipc://${join(folder, "control")}`;
}

/** How to start the workers that are waited for; a token of the user's own is not told again. */
function invitation(workers: number, endpoint: string, madeToken: string | null): string {
  const token = `RINGSTRASSE_TOKEN=${madeToken ?? "…"}`;
  return `waiting for ${workers} ${workers === 1 ? "worker" : "workers"}: ${token} ringstrasse worker --coordinator ${endpoint}`;
}

/** A private folder for sockets. @throws RingstrasseError OUTPUT_UNWRITABLE */
async function socketFolder(): Promise<string> {
  const parent = tmpdir();
  try {
    return await mkdtemp(join(parent, "ringstrasse-"));
  } catch (cause) {
    throw writeFailure(parent, cause);
  }
}

function newJobId(file: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]/g, "").slice(0, 15);
  const stem = basename(file, extname(file))
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .slice(0, 80);
  return `${stem}-${stamp}-${randomBytes(3).toString("hex")}`;
}
