import type { Logger } from "../../shared/logger.js";
import { tcpEndpoint } from "../../shared/transport/host-address.js";
import { ringAddress } from "../../shared/transport/ring-address.js";
import { DEFAULT_CONTROL_PORT, type ServeOptions } from "../cli/serve-options.js";
import { ControlServer } from "../group/control-server.js";
import { WorkerPool } from "../group/worker-pool.js";
import { LocalLauncher } from "../launcher/local-launcher.js";
import { openSocketFolder } from "../launcher/socket-folder.js";
import { LocalWorkers } from "./local-workers.js";
import { PoolGround } from "./pool-ground.js";

const HEARTBEAT_INTERVAL_MS = 500;

export interface WorkersPlan {
  readonly options: ServeOptions;
  /** Address, no name, that workers reach this host at. */
  readonly host: string;
  /** What workers join with. */
  readonly token: string;
  /** The compiled `ringstrasse` command. */
  readonly entry: string;
  readonly environment: NodeJS.ProcessEnv;
  /** How many local workers there are unless `--workers` says otherwise. */
  readonly cores: number;
  readonly stderr: NodeJS.WritableStream;
  readonly log: Logger;
}

/**
 * Has `use` train on a pool of workers: this host's, which start before and have ended when this returns, and those that join.
 * @throws RingstrasseError ENDPOINT_UNAVAILABLE, LAUNCH_FAILED; as `use`
 */
export async function withWorkers(
  plan: WorkersPlan,
  use: (found: { readonly ground: PoolGround; readonly controlEndpoint: string }) => Promise<void>,
): Promise<void> {
  const { options, host, token, entry, environment, cores, stderr, log } = plan;
  const endpoint = tcpEndpoint(host, options["control-port"] ?? DEFAULT_CONTROL_PORT);
  await using server = await ControlServer.open(endpoint, token, log);
  const ground = new PoolGround(log);
  await using folder = await openSocketFolder();
  await using pool = openPool(options, ground, server, log);
  ground.attach(pool.pool);
  const launcher = new LocalLauncher(entry, { ...environment, TMPDIR: folder.path }, stderr);
  const launchPlan = {
    coordinatorEndpoint: server.endpoint,
    token,
    logLevel: options["log-level"] ?? "warn",
    address: ringAddress(host),
    engine: options.engine ?? "auto",
    threads: options.threads ?? 1,
  };
  using localWorkers = new LocalWorkers({ launcher, pool: pool.pool, plan: launchPlan, log });
  await localWorkers.start(options.workers ?? cores);
  await use({ ground, controlEndpoint: server.endpoint });
}

function openPool(options: ServeOptions, ground: PoolGround, server: ControlServer, log: Logger) {
  const silentAfterMs = 1000 * (options["silence-timeout"] ?? 10);
  const pool = new WorkerPool({
    server,
    policy: { heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS, silentAfterMs, comeBack: true },
    admit: () => null,
    listener: ground,
    log,
  });
  return { pool, [Symbol.asyncDispose]: () => pool.close(null) };
}
