import { join } from "node:path";
import { type EnvironmentVariables, engineDirectory, enginesDirectory, platformName } from "./engine-directory.js";
import { readManifest } from "./engine-manifest.js";
import { type EngineDevice, type EngineRelease, engineRelease, type NativeEngineName } from "./engine-release.js";
import { findOfficialEngine } from "./official-engine.js";
import { verifyEngine } from "./verify-engine.js";

/**
 * A native engine that lies ready on this machine. Its files belong to the store (or to the user's project): never
 * write there.
 */
export interface EngineLocation {
  readonly name: NativeEngineName;
  /** Of TensorFlow. */
  readonly version: string;
  readonly device: EngineDevice;
  /** `store`: installed by `ringstrasse engine install`; `project`: an official package of the user's project. */
  readonly origin: "store" | "project";
  /** The engine's own directory; for `project` the same as `tfjsNodeDirectory`. */
  readonly directory: string;
  /** Node-API module, to be loaded with `require`; finds its libraries by itself. */
  readonly bindingPath: string;
  /** Of libtensorflow. */
  readonly libraryDirectory: string;
  /** The JavaScript package around the binding, where there is one. */
  readonly tfjsNodeDirectory: string | null;
}

export interface EngineSurroundings {
  readonly environment: EnvironmentVariables;
  /** Where the user's own packages are looked for: the working directory, usually. */
  readonly projectDirectory: string;
  /** See `verifyEngine`; default `changed`. */
  readonly effort?: "changed" | "all";
}

export interface EngineSearch {
  /** Null: not here. */
  readonly location: EngineLocation | null;
  /** Why not, one sentence without its period for each place that was looked at; empty when it is here. */
  readonly reasons: readonly string[];
  /** Whether the store has the engine, but damaged or out of date. */
  readonly damaged: boolean;
}

/**
 * Looks for a native engine: first in the store, then among the user's own packages. A damaged one in the store is
 * never passed
 * over for another: who installed it wants it.
 * @throws system errors of files that can't be read
 */
export async function locateEngine(name: NativeEngineName, surroundings: EngineSurroundings): Promise<EngineSearch> {
  const release = engineRelease(name);
  const directory = engineDirectory(enginesDirectory(surroundings.environment), release);
  const installed = await findInstalled(release, directory, surroundings.effort ?? "changed");
  if ("location" in installed) return { location: installed.location, reasons: [], damaged: false };
  if (installed.damaged) return { location: null, reasons: [installed.reason], damaged: true };
  const official = await findOfficialEngine(release, surroundings.projectDirectory);
  if ("reason" in official) return { location: null, reasons: [installed.reason, official.reason], damaged: false };
  const location: EngineLocation = {
    ...official,
    name,
    device: release.device,
    origin: "project",
    directory: official.tfjsNodeDirectory,
  };
  return { location, reasons: [], damaged: false };
}

/** What the store has under a release's directory. @throws system errors of files that can't be read */
export async function findInstalled(
  release: EngineRelease,
  directory: string,
  effort: "changed" | "all",
): Promise<
  | { readonly location: EngineLocation; readonly sizeBytes: number }
  | { readonly reason: string; readonly damaged: boolean }
> {
  const read = await readManifest(directory);
  if (read.manifest === null) {
    if (read.problem === null) return { reason: `it is not installed in ${directory}`, damaged: false };
    return { reason: read.problem, damaged: true };
  }
  const { manifest } = read;
  const { name, version, device } = release;
  if (manifest.name !== name || manifest.version !== version || manifest.platform !== platformName()) {
    const what = `${manifest.name} ${manifest.version} for ${manifest.platform}`;
    return { reason: `${directory} holds ${what} instead of ${name} ${version} for ${platformName()}`, damaged: true };
  }
  if (manifest.revision !== release.revision) {
    const problem = `it was installed by ringstrasse ${manifest.installedBy} in a way that this version doesn't use any more`;
    return { reason: `${directory}: ${problem}`, damaged: true };
  }
  const problems = await verifyEngine(directory, manifest, effort);
  if (problems.length > 0) return { reason: `${directory}: ${problems.join(", ")}`, damaged: true };
  const location: EngineLocation = {
    name,
    version,
    device,
    origin: "store",
    directory,
    bindingPath: join(directory, manifest.binding),
    libraryDirectory: join(directory, manifest.libraries),
    tfjsNodeDirectory: null,
  };
  return { location, sizeBytes: manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0) };
}
