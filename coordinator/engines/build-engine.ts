import { mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory, writeNewFile } from "../../shared/durable-file.js";
import type { EnvironmentVariables } from "../../shared/engine-store/engine-directory.js";
import { type EngineFile, type EngineManifest, manifestPath } from "../../shared/engine-store/engine-manifest.js";
import { sealEngine, sha256OfFile } from "../../shared/engine-store/verify-engine.js";
import { VERSION } from "../../shared/version.js";
import { compileBinding } from "./compile-binding.js";
import { partPath } from "./download-source.js";
import type { EngineRecipe } from "./engine-recipe.js";
import type { InstallEvent } from "./install-event.js";
import type { LocatedSource } from "./package-source.js";
import { syncFile, unpackSource } from "./unpack-source.js";

export interface Building {
  readonly recipe: EngineRecipe;
  /** All downloaded into `downloads`. */
  readonly located: readonly LocatedSource[];
  readonly downloads: string;
  /** Does not exist yet. The caller removes it if the building fails. */
  readonly directory: string;
  readonly compiler: string;
  readonly environment: EnvironmentVariables;
  readonly emit: (event: InstallEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Makes an engine's directory of its downloaded parts: unpacks, compiles, writes the manifest. All of it is
 * on the device when this returns.
 * @throws RingstrasseError ENGINE_UNAVAILABLE; system errors; the signal's reason
 */
export async function buildEngine(building: Building): Promise<EngineManifest> {
  const { directory } = building;
  await mkdir(directory);
  const unpacked = await unpackAll(building);
  const binding = await makeBinding(building);
  const manifest = manifestOf(building, [...unpacked.filter(({ path }) => !path.startsWith("build/")), binding]);
  await writeNewFile(manifestPath(directory), [Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`)]);
  await syncTree(directory, manifest.files);
  await sealEngine(directory, manifest);
  return manifest;
}

async function unpackAll({ recipe, located, downloads, directory, emit, signal }: Building): Promise<EngineFile[]> {
  const files: EngineFile[] = [];
  for (const { source } of located) {
    emit({ event: "unpack", package: source.package, version: source.version });
    const archivePath = partPath(downloads, source.hash);
    files.push(...(await unpackSource({ engine: recipe.release.name, source, archivePath, directory, signal })));
  }
  return files;
}

async function makeBinding({ recipe, directory, compiler, environment, emit, signal }: Building): Promise<EngineFile> {
  emit({ event: "compile", compiler });
  const { compile, release } = recipe;
  await compileBinding({ engine: release.name, recipe: compile, compiler, directory, environment, signal });
  await rm(join(directory, "build"), { recursive: true, force: true });
  const path = join(directory, compile.output);
  await syncFile(path);
  return { path: compile.output, sizeBytes: (await stat(path)).size, sha256: await sha256OfFile(path) };
}

function manifestOf({ recipe, located }: Building, files: readonly EngineFile[]): EngineManifest {
  const { name, version, revision, device } = recipe.release;
  return {
    format: 1,
    name,
    version,
    revision,
    device,
    platform: recipe.platform,
    installedAt: new Date().toISOString(),
    installedBy: VERSION,
    sources: located.map(({ source, url }) => {
      return { package: source.package, version: source.version, url, hash: source.hash };
    }),
    binding: recipe.compile.output,
    libraries: recipe.compile.libraryDirectory,
    files: [...files],
  };
}

/** The files themselves are synced when they are written; their names live in directories. */
async function syncTree(root: string, files: readonly EngineFile[]): Promise<void> {
  const directories = new Set([root]);
  for (const { path } of files) {
    for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) directories.add(join(root, parent));
  }
  for (const directory of directories) await syncDirectory(directory);
}
