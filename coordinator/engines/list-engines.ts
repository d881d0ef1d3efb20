import type { EngineCheck } from "../../shared/engine-store/engine-check.js";
import type { EnvironmentVariables } from "../../shared/engine-store/engine-directory.js";
import {
  engineRelease,
  installCommand,
  NATIVE_ENGINE_NAMES,
  type NativeEngineName,
} from "../../shared/engine-store/engine-release.js";
import { type EngineLocation, locateEngine } from "../../shared/engine-store/locate-engine.js";
import { RingstrasseError } from "../../shared/failure.js";

/** One line of `ringstrasse engine list`; an object of `--json`. */
export interface ListedEngine {
  readonly engine: string;
  /**
   * `ready`: it computes; `missing`: not here; `broken`: here, but damaged or unusable; `no device`: here, but its
   * device isn't.
   */
  readonly status: "ready" | "missing" | "broken" | "no device";
  /** Of the library; null: unknown. */
  readonly version: string | null;
  /** What it computes on. */
  readonly device: "cpu" | "gpu";
  /** Most threads that one replica can use. */
  readonly threads: number;
  /** Where it comes from; null: not here. */
  readonly origin: "package" | "store" | "project" | null;
  readonly directory: string | null;
  /** Of a float32 matrix product with `measuredThreads`; null: not measured. */
  readonly gigaflops: number | null;
  readonly measuredThreads: number;
  /** What is wrong and what to do; null: nothing. */
  readonly problem: string | null;
  readonly remedy: string | null;
}

export interface Listing {
  readonly environment: EnvironmentVariables;
  readonly projectDirectory: string;
  /** Processors. */
  readonly cores: number;
  /** For the measurement. */
  readonly threads: number;
  /** Leaves out checksums and measurements: nothing is loaded. */
  readonly quick: boolean;
  readonly check: (engine: string, location: EngineLocation | null, threads: number) => Promise<EngineCheck>;
}

const WASM_ENGINE = "wasm";

/** All engines, whether here or not, each checked in a process of its own, one after the other. */
export async function listEngines(listing: Listing): Promise<ListedEngine[]> {
  const listed = [await wasmEngine(listing)];
  for (const name of NATIVE_ENGINE_NAMES) listed.push(await nativeEngine(name, listing));
  return listed;
}

async function wasmEngine({ quick, check }: Listing): Promise<ListedEngine> {
  const engine: ListedEngine = {
    engine: WASM_ENGINE,
    status: "ready",
    version: null,
    device: "cpu",
    threads: 1,
    origin: "package",
    directory: null,
    gigaflops: null,
    measuredThreads: 1,
    problem: null,
    remedy: null,
  };
  return quick ? engine : await checked(engine, () => check(WASM_ENGINE, null, 1));
}

async function nativeEngine(name: NativeEngineName, listing: Listing): Promise<ListedEngine> {
  const { environment, projectDirectory, cores, threads, quick, check } = listing;
  const effort = quick ? "changed" : "all";
  const { location, reasons, damaged } = await locateEngine(name, { environment, projectDirectory, effort });
  const { version, device } = engineRelease(name);
  const engine: ListedEngine = {
    engine: name,
    status: location === null ? (damaged ? "broken" : "missing") : "ready",
    version: location?.version ?? version,
    device,
    threads: cores,
    origin: location?.origin ?? null,
    directory: location?.directory ?? null,
    gigaflops: null,
    measuredThreads: threads,
    problem: location === null ? reasons.join("; ") : null,
    remedy: location === null ? `Run: ${installCommand(name)}` : null,
  };
  if (location === null || quick) return engine;
  const listed = await checked(engine, () => check(name, location, threads));
  if (listed.status !== "ready" || device === "cpu" || listed.device === "gpu") return listed;
  const problem = "no GPU that it can use was found";
  const remedy = "Check the driver with nvidia-smi, and CUDA_VISIBLE_DEVICES; or use --engine tensorflow";
  return { ...listed, status: "no device", device, gigaflops: null, problem, remedy };
}

async function checked(engine: ListedEngine, check: () => Promise<EngineCheck>): Promise<ListedEngine> {
  try {
    const { version, device, gigaflops } = await check();
    return { ...engine, version, device, gigaflops };
  } catch (thrown) {
    if (!(thrown instanceof RingstrasseError) || thrown.failure.code !== "ENGINE_UNAVAILABLE") throw thrown;
    const { problem, remedy } = thrown.failure;
    return { ...engine, status: "broken", problem, remedy };
  }
}
