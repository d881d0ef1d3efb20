import process from "node:process";
import { ENGINE_PREFERENCE, type EngineName } from "../engine-name.js";
import { RingstrasseError } from "../failure.js";
import { engineRelease, installCommand, type NativeEngineName } from "./engine-release.js";
import { gpuDevices } from "./gpu-devices.js";
import { type EngineLocation, type EngineSurroundings, locateEngine } from "./locate-engine.js";
import { processorFlags } from "./processor.js";

/** Why a native engine can't be used here. */
export interface EngineObstacle {
  readonly problem: string;
  /** The same in a few words, for a line about several engines. */
  readonly brief: string;
  readonly remedy: string;
  /** Whether somebody has installed it, so that `auto` may not pass it over silently. */
  readonly damaged: boolean;
}

export type EngineFinding =
  | { readonly location: EngineLocation; readonly obstacle: null }
  | { readonly location: null; readonly obstacle: EngineObstacle };

/** The engine that `auto` stands for on this machine, and why, in a few words. */
export interface BestEngine {
  readonly engine: EngineName;
  readonly reason: string;
}

/**
 * Whether a native engine can be used on this machine, as far as can be told without loading it: its files are here and whole, the
 * processor has the instructions that it needs, and the device is there.
 * @throws system errors of files that can't be read
 */
export async function findUsableEngine(
  name: NativeEngineName,
  surroundings: EngineSurroundings,
): Promise<EngineFinding> {
  const { device } = engineRelease(name);
  if (device === "gpu" && (await gpuDevices(surroundings.environment)).length === 0) {
    const hidden = surroundings.environment["CUDA_VISIBLE_DEVICES"];
    const why = hidden === undefined ? "the driver shows none under /dev" : `CUDA_VISIBLE_DEVICES is "${hidden}"`;
    const remedy = "Check the driver with nvidia-smi, and CUDA_VISIBLE_DEVICES; or use --engine tensorflow";
    return refused({
      problem: `no GPU that it could use is here (${why})`,
      brief: "no GPU here",
      remedy,
      damaged: false,
    });
  }
  const { location, reasons, damaged } = await locateEngine(name, surroundings);
  if (location === null) {
    const command = installCommand(name);
    const remedy = damaged ? `To repair it, run: ${command}` : `Run: ${command}`;
    return refused({ problem: reasons.join("; "), brief: `not installed (${command})`, remedy, damaged });
  }
  const flags = process.arch === "x64" ? await processorFlags() : new Set<string>();
  if (flags.size === 0 || flags.has("avx")) return { location, obstacle: null };
  const problem = "the processor has no AVX instructions, which the library needs";
  return refused({ problem, brief: "no AVX here", remedy: "Use --engine wasm", damaged: false });
}

/**
 * The engine of that name.
 * @throws RingstrasseError ENGINE_UNAVAILABLE with the command that installs or repairs it, or what else helps
 */
export async function requireUsableEngine(
  name: NativeEngineName,
  surroundings: EngineSurroundings,
): Promise<EngineLocation> {
  const { location, obstacle } = await findUsableEngine(name, surroundings);
  if (location !== null) return location;
  throw unavailable(name, obstacle);
}

/**
 * GPU before native before wasm. A damaged engine is not passed over: whoever installed it wants it.
 * @param threads of one computation; wasm has one only
 * @throws RingstrasseError ENGINE_UNAVAILABLE: a damaged engine; more threads than any engine here has
 */
export async function bestEngine(threads: number, surroundings: EngineSurroundings): Promise<BestEngine> {
  const passed: string[] = [];
  for (const engine of ENGINE_PREFERENCE) {
    if (engine === "wasm") break;
    const { location, obstacle } = await findUsableEngine(engine, surroundings);
    if (location !== null) return { engine, reason: ["the fastest that is here", ...passed].join("; ") };
    if (obstacle.damaged) throw unavailable(engine, obstacle);
    passed.push(`${engine}: ${obstacle.brief}`);
  }
  if (threads > 1) throw tooManyThreads(threads, passed);
  return { engine: "wasm", reason: passed.join("; ") };
}

function tooManyThreads(threads: number, passed: readonly string[]): RingstrasseError {
  const problem = [`${threads} threads need a native engine, wasm computes with one`, ...passed].join("; ");
  const remedy = `Run: ${installCommand("tensorflow")}; or leave --threads out`;
  return new RingstrasseError({ code: "ENGINE_UNAVAILABLE", engine: "auto", problem, remedy });
}

function refused(obstacle: EngineObstacle): EngineFinding {
  return { location: null, obstacle };
}

function unavailable(engine: EngineName, { problem, remedy }: EngineObstacle): RingstrasseError {
  return new RingstrasseError({ code: "ENGINE_UNAVAILABLE", engine, problem, remedy });
}
