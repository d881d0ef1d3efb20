import { once } from "node:events";
import { resolve } from "node:path";
import { RingstrasseError } from "../../shared/failure.js";
import { createLogger, type Logger } from "../../shared/logger.js";
import { hostAddress } from "../../shared/transport/host-address.js";
import { reachableUrl } from "../../shared/transport/reachable-url.js";
import type { BatchGround } from "../batch/batch-ground.js";
import { DEFAULT_PORT, type ServeOptions } from "../cli/serve-options.js";
import { settleHostEngine } from "../engines/settle-host-engine.js";
import type { LocalEngine } from "../engines/settle-local-engine.js";
import { listenHttp } from "../http/listen-http.js";
import { settleEngine } from "../job/settle-engine.js";
import { ProcessJudge } from "../launcher/process-judge.js";
import { ReportIntake } from "../report/report-intake.js";
import { SpoolWatcher } from "../report/spool-watcher.js";
import { openJobService } from "../service/open-job-service.js";
import type { TrainingGround } from "../service/training-ground.js";
import { openStore, type Store } from "../store/open-store.js";
import { jobOptions } from "./job-options.js";
import { type ServeAccess, serveAccess } from "./serve-access.js";
import { openSlurmGround, refuseBatchOptions } from "./slurm-service.js";
import { withWorkers } from "./with-workers.js";

const GIB = 2 ** 30;

export interface ServeSurroundings {
  /** The compiled `ringstrasse` command, which workers are started with. */
  readonly entry: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Where engines of the user's own are looked for. */
  readonly projectDirectory: string;
  /** The Node.js that runs this, for batch jobs. */
  readonly execPath: string;
  /** Where jobs and files are kept unless `--data-dir` says otherwise. */
  readonly dataDirectory: string;
  /** Where batch jobs have their folders unless `--shared-dir` says otherwise. */
  readonly sharedDirectory: string;
  /** How many local workers there are unless `--workers` says otherwise. */
  readonly cores: number;
  readonly stderr: NodeJS.WritableStream;
  /** Told once clients can come. */
  readonly listening: (places: ServePlaces) => void;
  /** For what a person has to know. */
  readonly note: (text: string) => void;
  /** Aborted on SIGINT and SIGTERM: end in good order. */
  readonly signal: AbortSignal;
}

/** Where a server can be reached. */
export interface ServePlaces {
  /** Of the REST interface and the dashboard. */
  readonly url: string;
  /** Where workers join; null: jobs run as batch jobs, and none do. */
  readonly controlEndpoint: string | null;
  /** The token that workers need, when it was made for this server alone; null: the user's own, or none join. */
  readonly workerToken: string | null;
  /** What this host's workers compute with; null: none are started here. */
  readonly localEngine: LocalEngine | null;
}

/** For people, on stdout: with an address that other hosts reach too, where it listens at all of them. */
export function describePlaces({ url, controlEndpoint, workerToken, localEngine }: ServePlaces): string {
  const join = (endpoint: string) =>
    `RINGSTRASSE_TOKEN=${workerToken ?? "…"} ringstrasse worker --coordinator ${reachableUrl(endpoint)}`;
  const lines = [
    `ringstrasse serves at ${reachableUrl(url)}`,
    controlEndpoint === null ? "jobs run as batch jobs of Slurm" : `more workers: ${join(controlEndpoint)}`,
  ];
  if (localEngine !== null) lines.push(`engine of this host's workers: ${localEngine.engine} (${localEngine.reason})`);
  return lines.join("\n");
}

/**
 * `ringstrasse serve`: store, workers, queue and REST interface, until `signal` aborts. Jobs that run then are saved and queued again for the
 * next server; when this returns every local worker has ended.
 * @throws RingstrasseError USAGE, STORE_*, ENDPOINT_UNAVAILABLE, LAUNCH_FAILED: what keeps the server from starting.
 */
export async function serve(options: ServeOptions, around: ServeSurroundings): Promise<void> {
  const named = options.host ?? "127.0.0.1";
  const { token, insecure = false, "read-token": readToken } = options;
  const access = serveAccess({ host: named, token, readToken, insecure });
  // Once for workers and clients: they are not to find this server at different places, nor at a second one that a name also means.
  const host = await hostAddress(named);
  if (access.isOpenToAll) around.note(`WARNING: everybody who reaches ${named} may do everything here (--insecure)`);
  const log = createLogger(options["log-level"] ?? "warn", { process: "coordinator" });
  const isSlurm = options.launcher === "slurm";
  if (!isSlurm) refuseBatchOptions(options);
  const localEngine = isSlurm || options.workers === 0 ? null : await settleForHost(options, around);
  const slurm = isSlurm ? await openSlurmGround(options, around) : null;
  await using store = await openServeStore(options, around, log);
  const serving = { options, around, access, host, log, localEngine, store };
  if (slurm !== null) return await serveJobs({ ...serving, ground: slurm, controlEndpoint: null });
  const plan = { ...around, options, host, token: access.workers, log };
  await withWorkers(plan, (workers) => serveJobs({ ...serving, ...workers }));
}

/** What the workers of this host will compute with. @throws RingstrasseError ENGINE_UNAVAILABLE, CHOICE_UNSUPPORTED: nothing starts */
async function settleForHost(options: ServeOptions, around: ServeSurroundings): Promise<LocalEngine> {
  const { engine: wish = "auto", threads = 1 } = options;
  settleEngine({ execution: { paths: {} }, options: { engine: wish, threads }, sources: {}, file: null });
  return await settleHostEngine({ engine: wish, threads, precision: "float32" }, around);
}

interface Serving {
  readonly options: ServeOptions;
  readonly around: ServeSurroundings;
  readonly access: ServeAccess;
  readonly host: string;
  readonly log: Logger;
  readonly localEngine: LocalEngine | null;
  readonly store: Store;
  readonly ground: TrainingGround | BatchGround;
  /** Null: no workers join. */
  readonly controlEndpoint: string | null;
}

/** What is disposed of first was begun last: no more requests, no more jobs; then, in the caller, no more workers. */
async function serveJobs(serving: Serving): Promise<void> {
  const { options, around, access, host, log, localEngine, store, ground, controlEndpoint } = serving;
  await using service = await openJobService({
    store,
    ground,
    judge: new ProcessJudge({ entry: around.entry, environment: around.environment }),
    dataDirectory: dataDirectory(options, around),
    options: jobOptions(options),
    afterWorkerLoss: options["after-worker-loss"] ?? "end",
    log,
  });
  await using _spool =
    options.spool === undefined
      ? null
      : await SpoolWatcher.open({ directory: options.spool, intake: new ReportIntake(service), log });
  const publicOrigin = options["public-url"] === undefined ? null : new URL(options["public-url"]).origin;
  const { read, write } = access;
  await using http = await listenHttp(
    { service, files: store.files, tokens: { read, write }, log, publicOrigin },
    { host, port: options.port ?? DEFAULT_PORT },
  );
  const workerToken = options.token === undefined && controlEndpoint !== null ? access.workers : null;
  around.listening({ url: http.url, controlEndpoint, workerToken, localEngine });
  if (!around.signal.aborted) await once(around.signal, "abort");
}

async function openServeStore(options: ServeOptions, around: ServeSurroundings, log: Logger): Promise<Store> {
  const limits = {
    quotaBytes: Math.round((options.quota ?? 20) * GIB),
    maxFileBytes: Math.round((options["max-file"] ?? 4) * GIB),
  };
  if (limits.maxFileBytes > limits.quotaBytes) {
    throw new RingstrasseError({
      code: "USAGE",
      option: "--max-file",
      problem: "one file may be larger than all files together",
      remedy: "Give a smaller --max-file, or a larger --quota",
    });
  }
  const store = await openStore({ directory: dataDirectory(options, around), limits });
  for (const path of store.files.damaged) log.error({ path }, "a stored file is damaged: upload it again");
  return store;
}

function dataDirectory(options: ServeOptions, around: ServeSurroundings): string {
  return resolve(options["data-dir"] ?? around.dataDirectory);
}
