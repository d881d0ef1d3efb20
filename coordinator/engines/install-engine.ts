import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createDirectory } from "../../shared/create-directory.js";
import { unfinishedSibling } from "../../shared/durable-file.js";
import { type EnvironmentVariables, engineDirectory } from "../../shared/engine-store/engine-directory.js";
import { type EngineLocation, findInstalled } from "../../shared/engine-store/locate-engine.js";
import { buildEngine } from "./build-engine.js";
import { findCompiler } from "./compile-binding.js";
import { checkDiskSpace } from "./disk-space.js";
import { downloadSource, partPath } from "./download-source.js";
import { storeFailure } from "./engine-failure.js";
import type { EngineRecipe } from "./engine-recipe.js";
import type { HttpClient } from "./http-client.js";
import type { InstallEvent, InstalledEvent } from "./install-event.js";
import { locateSource } from "./locate-source.js";
import type { LocatedSource } from "./package-source.js";
import { checkPlatform, type Platform } from "./platform-check.js";
import type { RegistryAddresses } from "./registry-addresses.js";
import { downloadsDirectory, openStore, putInPlace } from "./store-access.js";
import { DEFAULT_RETRIES, type RetryPolicy } from "./transient-failures.js";

export interface Installation {
  readonly recipe: EngineRecipe;
  /** The store. */
  readonly root: string;
  readonly platform: Platform;
  readonly http: HttpClient;
  readonly registries: RegistryAddresses;
  readonly environment: EnvironmentVariables;
  /** Loads the engine and computes with it, in another process. @throws RingstrasseError ENGINE_UNAVAILABLE */
  readonly check: (location: EngineLocation) => Promise<unknown>;
  /** Free bytes where a directory lies; default: as the operating system says. */
  readonly freeBytes?: (directory: string) => Promise<number>;
  readonly retries?: RetryPolicy;
  /** Installs anew what is there and sound. */
  readonly force: boolean;
  readonly emit: (event: InstallEvent) => void;
  readonly signal: AbortSignal;
}

/** Progress is told that often, and at the end of each file. */
const PROGRESS_STEPS = 200;

/**
 * Brings an engine into the store, from the first check to the last. May be killed at any moment: everything happens
 * beside the final
 * place, which gets the complete engine at once, and a repeated call goes on with what was downloaded.
 * @returns the last event, which is not emitted.
 * @throws RingstrasseError ENGINE_UNAVAILABLE, or the signal's reason
 */
export async function installEngine(installation: Installation): Promise<InstalledEvent> {
  const { recipe, root, platform, force } = installation;
  const { name: engine, version, device } = recipe.release;
  const began = performance.now();
  checkPlatform(recipe, platform);
  const directory = engineDirectory(root, recipe.release);
  const report = { engine, version, device, directory } as const;
  try {
    await using _lock = await openStore(engine, root);
    const present = force ? null : await findInstalled(recipe.release, directory, "all");
    if (present !== null && "location" in present) {
      const { sizeBytes } = present;
      return { event: "present", ...report, sizeBytes, transferredBytes: 0, wallMs: performance.now() - began };
    }
    const made = await fetchAndBuild(installation, directory);
    return { event: "installed", ...report, ...made, wallMs: performance.now() - began };
  } catch (thrown) {
    throw storeFailure(engine, root, thrown);
  }
}

async function fetchAndBuild(
  installation: Installation,
  directory: string,
): Promise<{ readonly sizeBytes: number; readonly transferredBytes: number }> {
  const { recipe, root, environment, freeBytes, emit, signal } = installation;
  const engine = recipe.release.name;
  // Before a gigabyte is fetched in vain.
  const compiler = await findCompiler(engine, environment);
  const located = await locateAll(installation);
  const downloads = downloadsDirectory(root);
  await createDirectory(downloads);
  const neededBytes = (await announce(installation, directory, downloads)) + recipe.installedBytes;
  await checkDiskSpace({ engine, directory: root, neededBytes, ...(freeBytes === undefined ? {} : { freeBytes }) });
  const transferredBytes = await downloadAll(installation, located, downloads);
  const unfinished = unfinishedSibling(directory);
  try {
    const building = { recipe, located, downloads, directory: unfinished, compiler, environment, emit, signal };
    const { files } = await buildEngine(building);
    emit({ event: "check" });
    await installation.check(locationIn(unfinished, recipe));
    signal.throwIfAborted();
    await putInPlace(unfinished, directory);
    for (const { hash } of recipe.sources) await rm(partPath(downloads, hash), { force: true });
    return { sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0), transferredBytes };
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function locateAll({ recipe, http, registries, retries, signal }: Installation): Promise<LocatedSource[]> {
  const question = { engine: recipe.release.name, http, registries, retries: retries ?? DEFAULT_RETRIES, signal };
  const located: LocatedSource[] = [];
  for (const source of recipe.sources) located.push(await locateSource(source, question));
  return located;
}

/** Tells what is to be fetched. @returns bytes that aren't here yet. */
async function announce({ recipe, emit }: Installation, directory: string, downloads: string): Promise<number> {
  let downloadBytes = 0;
  let resumedBytes = 0;
  for (const source of recipe.sources) {
    const here = await stat(partPath(downloads, source.hash)).then(
      ({ size }) => size,
      () => 0,
    );
    downloadBytes += source.sizeBytes;
    resumedBytes += Math.min(here, source.sizeBytes);
  }
  const { name: engine, version } = recipe.release;
  emit({ event: "install", engine, version, directory, downloadBytes, resumedBytes });
  return downloadBytes - resumedBytes;
}

async function downloadAll(
  { recipe, http, retries = DEFAULT_RETRIES, signal, emit }: Installation,
  located: readonly LocatedSource[],
  directory: string,
): Promise<number> {
  const engine = recipe.release.name;
  const downloadBytes = recipe.sources.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const step = downloadBytes / PROGRESS_STEPS;
  let before = 0;
  let told = Number.NEGATIVE_INFINITY;
  let transferredBytes = 0;
  for (const one of located) {
    const { package: name, version, sizeBytes } = one.source;
    const onProgress = (received: number): void => {
      const receivedBytes = before + received;
      // Backwards too: a file may have to be fetched anew.
      if (Math.abs(receivedBytes - told) < step && received < sizeBytes) return;
      told = receivedBytes;
      emit({ event: "download", package: name, version, receivedBytes, downloadBytes });
    };
    const downloaded = await downloadSource({ engine, located: one, directory, http, retries, signal, onProgress });
    before += sizeBytes;
    transferredBytes += downloaded.transferredBytes;
  }
  return transferredBytes;
}

function locationIn(directory: string, { release, compile }: EngineRecipe): EngineLocation {
  const { name, version, device } = release;
  const bindingPath = join(directory, compile.output);
  const libraryDirectory = join(directory, compile.libraryDirectory);
  return { name, version, device, origin: "store", directory, bindingPath, libraryDirectory, tfjsNodeDirectory: null };
}
