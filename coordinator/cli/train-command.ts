import { randomBytes } from "node:crypto";
import { basename, extname, join } from "node:path";
import type { ParsedCommand } from "../../shared/cli/parse-command.js";
import { RingstrasseError } from "../../shared/failure.js";
import { JobIdSchema } from "../../shared/ids.js";
import { type LaunchedPlace, launcherCommand } from "../../shared/launch/launched-place.js";
import { createLogger } from "../../shared/logger.js";
import type { FinishedEvent, TrainEvent } from "../../shared/train-events.js";
import { hostAddress, tcpEndpoint } from "../../shared/transport/host-address.js";
import { reachableUrl } from "../../shared/transport/reachable-url.js";
import { chooseCheckpoint, runDirectoryOf } from "../checkpoint/choose-checkpoint.js";
import type { SavedCheckpoint } from "../checkpoint/saved-checkpoint.js";
import { RowsHold } from "../data/rows-hold.js";
import { judgeClockSkew } from "../doctor/judge-clock.js";
import { checkLaunch, describeFinding } from "../doctor/launch-checks.js";
import { settleHostEngine } from "../engines/settle-host-engine.js";
import type { LocalEngine } from "../engines/settle-local-engine.js";
import { precisionAskedBy } from "../job/job-settings.js";
import { planRun, prepareRows, type ReadJob, readJob } from "../job/plan-run.js";
import { refuseUnsupported } from "../job/refuse-unsupported.js";
import { resolveData } from "../job/resolve-data.js";
import { type JobSurroundings, runJob } from "../job/run-job.js";
import type { TrainingRun } from "../job/training-run.js";
import type { Launcher } from "../launcher/launcher.js";
import { LocalLauncher } from "../launcher/local-launcher.js";
import { meetingAddress } from "../launcher/meeting-address.js";
import { RankLauncher } from "../launcher/rank-launcher.js";
import type { RankZero } from "../launcher/rank-zero.js";
import { openSocketFolder } from "../launcher/socket-folder.js";
import { OutputHold } from "../output/output-hold.js";
import { readInput } from "./read-input.js";
import { refuseIdleFlags, refuseIdleInterface, refuseIdleTransport } from "./refuse-idle-flags.js";
import { reportRun } from "./report-run.js";
import type { TRAIN_OPTIONS, TrainOptions } from "./train-options.js";

export interface TrainSurroundings {
  /** The compiled `ringstrasse` command, which workers are started with. */
  readonly entry: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Where engines of the user's own are looked for. */
  readonly projectDirectory: string;
  /** Where prepared rows are kept unless `--data-dir` says otherwise. */
  readonly cacheDirectory: string;
  readonly stderr: NodeJS.WritableStream;
  readonly emit: (event: TrainEvent) => void;
  /** For remarks to a person that are no events. */
  readonly note: (text: string) => void;
  /** Aborted when the run is to end at once, with an INTERRUPTED failure. */
  readonly signal: AbortSignal;
  /** Calls the handler when the run is to end after its state is saved; until it is disposed of. */
  readonly onStop: JobSurroundings["onStop"];
  /** The process that started this one, when the workers are a launcher's ranks. */
  readonly rankZero: RankZero | null;
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
  const { values: options } = command;
  refuseUnsupported(options);
  const { rankZero } = around;
  refuseIdleInterface(options, rankZero?.place ?? null);
  refuseIdleFlags(command, rankZero?.place ?? null);
  const settled = rankZero === null ? command : withLaunchedWorkers(command, rankZero.place);
  const url = options["report-to"];
  if (url === undefined) return await trainDocument(settled, around);
  const log = createLogger(options["log-level"] ?? "warn", { process: "coordinator" });
  const token = options["report-token"] ?? options.token ?? null;
  const { emit } = around;
  return await reportRun({ url, token, emit, log }, (told) => trainDocument(settled, { ...around, emit: told }));
}

async function trainDocument(
  { values: options, sources, positionals }: ParsedCommand<typeof TRAIN_OPTIONS>,
  around: TrainSurroundings,
): Promise<FinishedEvent> {
  const [file = ""] = positionals;
  const job = readJob({ bytes: await readInput(file), file, options, sources });
  refuseIdleTransport(job, sources);
  const { definition, settings } = job;
  const warn = (message: string): void => around.emit({ event: "warning", message });
  definition.warnings.forEach(warn);
  await using resumed = await resumedCheckpoint(options, warn);
  // Before the data is prepared: whoever has to install an engine first should know at once.
  const engine = await workersEngine(job, options, { ...around, resumed });
  const dataPath = await resolveData(options.data ?? null, definition, file);
  await using rowsHold = new RowsHold();
  const prepared = await prepareRows(job, {
    dataPath,
    labelsPath: options.labels ?? null,
    cacheDirectory: options["data-dir"] ?? join(around.cacheDirectory, "rows"),
    hold: rowsHold,
    signal: around.signal,
  });
  prepared.warnings.forEach(warn);
  around.signal.throwIfAborted();

  const jobId = resumed?.description.jobId ?? JobIdSchema.parse(newJobId(file));
  const address = await addressForRanks(options, around);
  const host = options.host === undefined ? null : await hostAddress(options.host);
  await using folder = await openSocketFolder();
  await using hold = new OutputHold();
  const run = await planRun(job, {
    jobId,
    prepared,
    workers: settings.workers.value,
    transport: ringTransport(options, around.rankZero),
    engine,
    document: file,
    data: dataPath,
    out: options.out ?? (resumed === null ? null : runDirectoryOf(resumed)) ?? join("runs", jobId),
    hold,
    resumed,
  });
  const ground = { folder: folder.path, address, host };
  const surroundings = jobSurroundings(run, ground, options, around);
  const launcher = await launcherFor(options, surroundings.token, ground, around);
  const place = around.rankZero?.place;
  if (place !== undefined) {
    const findings = await checkLaunch({ place, threads: settings.threads.value, out: run.output.path });
    for (const finding of findings) warn(describeFinding(finding));
  }
  return await runJob(run, { ...surroundings, launcher });
}

/** What the run goes on from; null: it begins at its beginning. */
async function resumedCheckpoint(
  options: TrainOptions,
  warn: (message: string) => void,
): Promise<SavedCheckpoint | null> {
  const { resume } = options;
  return resume === undefined ? null : await chooseCheckpoint({ resume, out: options.out ?? null, warn });
}

/** Null: the workers are started by hand, and what they have decides. A run that goes on stays with its engine, unless told otherwise. */
async function workersEngine(
  { settings, definition }: ReadJob,
  options: TrainOptions,
  around: TrainSurroundings & { readonly resumed: SavedCheckpoint | null },
): Promise<LocalEngine | null> {
  if (options.launcher === "none") return null;
  const { precision } = settings.step;
  const need = {
    engine: settings.engine.value,
    threads: settings.threads.value,
    precision: precision.value,
    precisionAskedBy: precisionAskedBy(precision, definition.parameters),
  };
  const before = around.resumed?.description.engine.name;
  if (need.engine !== "auto" || before === undefined) return await settleHostEngine(need, around);
  const settled = await settleHostEngine({ ...need, engine: before }, around);
  return { ...settled, reason: "the checkpoint's" };
}

/** Where a run and its workers meet. */
interface MeetingGround {
  /** For sockets of this host. */
  readonly folder: string;
  /** Of this host, for ranks on other hosts; null: there are none. */
  readonly address: string | null;
  /** What `--host` means; null: it was not given. */
  readonly host: string | null;
}

/** Null: there are no ranks on other hosts. @throws RingstrasseError as {@link meetingAddress} */
async function addressForRanks(options: TrainOptions, around: TrainSurroundings): Promise<string | null> {
  const place = around.rankZero?.place;
  return place === undefined || place.isOneHost ? null : await meetingAddress(options, place, around.environment);
}

function jobSurroundings(
  run: TrainingRun,
  ground: MeetingGround,
  options: TrainOptions,
  around: TrainSurroundings,
): Omit<JobSurroundings, "launcher"> {
  const { spec } = run;
  // Ranks are told this one when they have shown the user's, which never goes over the network.
  const token = (around.rankZero === null ? options.token : undefined) ?? randomBytes(24).toString("hex");
  const logLevel = options["log-level"] ?? "warn";
  const byHand = options.launcher === "none";
  return {
    controlEndpoint: controlEndpoint(options, ground),
    token,
    logLevel,
    emit: around.emit,
    listening: (endpoint) => {
      if (byHand) around.note(invitation(run, endpoint, options.token === undefined ? token : null));
    },
    signal: around.signal,
    onStop: around.onStop,
    log: createLogger(logLevel, { process: "coordinator", jobId: spec.jobId }),
  };
}

/** Null: the workers are started by hand. */
async function launcherFor(
  options: TrainOptions,
  token: string,
  { folder, address }: MeetingGround,
  { entry, environment, stderr, rankZero, emit }: TrainSurroundings,
): Promise<Launcher | null> {
  if (options.launcher === "none") return null;
  // Their sockets lie in the run's own folder, so that even workers that are killed leave nothing behind.
  if (rankZero === null) return new LocalLauncher(entry, { ...environment, TMPDIR: folder }, stderr);
  const name = launcherCommand(rankZero.place.launcher);
  const at = address === null ? { path: join(folder, "lifelines") } : { host: address };
  const lifelines = await rankZero.openLifelines(at, token);
  lifelines.onClock((aheadMs, { rank, host }) => {
    const finding = judgeClockSkew({ rank, host, aheadMs });
    if (finding.status !== "ok") emit({ event: "warning", message: describeFinding(finding) });
  });
  return new RankLauncher(name, lifelines, address === null ? folder : null, (point) => rankZero.announce(point));
}

/** How so many ranks are asked for. */
const HOW_MANY = {
  mpirun: (ranks: number) => `: mpirun -np ${ranks}`,
  srun: (ranks: number) => `: srun -n ${ranks}`,
  torchrun: (ranks: number) => `: torchrun --nproc-per-node, ${ranks} on all nodes together`,
  kubernetes: (ranks: number) => `: completions, parallelism and WORLD_SIZE of the Job are ${ranks}`,
} as const;

/** N is how many ranks there are, whatever the document says. @throws RingstrasseError USAGE when an option says otherwise */
function withLaunchedWorkers(
  command: ParsedCommand<typeof TRAIN_OPTIONS>,
  { worldSize, launcher }: LaunchedPlace,
): ParsedCommand<typeof TRAIN_OPTIONS> {
  const { values, sources } = command;
  const { workers } = values;
  if (workers !== undefined && workers !== worldSize) {
    const command = launcherCommand(launcher);
    const problem = `${workers} workers are asked for, and ${command} has started ${worldSize} ranks, each of which is one`;
    const remedy = `Leave it out, or start ${workers} ranks${HOW_MANY[command](workers)}`;
    throw new RingstrasseError({ code: "USAGE", option: "--workers", problem, remedy });
  }
  const source = sources.workers ?? "environment";
  return { ...command, values: { ...values, workers: worldSize }, sources: { ...sources, workers: source } };
}

/** Workers that may be on several hosts have a ring of tcp unless told otherwise. */
function ringTransport(options: TrainOptions, rankZero: RankZero | null): "tcp" | "ipc" {
  if (options.transport === "tcp" || options.transport === "ipc") return options.transport;
  if (rankZero !== null) return rankZero.place.isOneHost ? "ipc" : "tcp";
  return options.launcher === "none" ? "tcp" : "ipc";
}

/** A unix socket for workers of our own; an address when they come from elsewhere or one was asked for. */
function controlEndpoint(options: TrainOptions, { folder, address, host }: MeetingGround): string {
  if (address !== null) return `tcp://${address}:${options.port ?? 0}`;
  const wanted = host !== null || options.port !== undefined || options.launcher === "none";
  return wanted ? tcpEndpoint(host ?? "127.0.0.1", options.port ?? 0) : `ipc://${join(folder, "control")}`;
}

/** How to start the workers that are waited for; a token of the user's own is not told again. */
function invitation({ spec, policy }: TrainingRun, endpoint: string, madeToken: string | null): string {
  const { workers } = policy;
  const engine = spec.engine === "auto" ? "" : ` --engine ${spec.engine}`;
  const threads = spec.threads === 1 ? "" : ` --threads ${spec.threads}`;
  const token = `RINGSTRASSE_TOKEN=${madeToken ?? "…"}`;
  return `waiting for ${workers} ${workers === 1 ? "worker" : "workers"}: ${token} ringstrasse worker --coordinator ${reachableUrl(endpoint)}${engine}${threads}`;
}

function newJobId(file: string): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]/g, "").slice(0, 15);
  const stem = basename(file, extname(file))
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .slice(0, 80);
  return `${stem}-${stamp}-${randomBytes(3).toString("hex")}`;
}
