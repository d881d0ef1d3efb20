import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import { isSystemError } from "../write-failure.js";
import type { EngineRelease } from "./engine-release.js";

/** Newest Node-API build first. */
const BINDING_DIRECTORIES = ["napi-v10", "napi-v9", "napi-v8", "napi-v7", "napi-v6", "napi-v5", "napi-v4", "napi-v3"];

export interface OfficialEngine {
  /** Of TensorFlow where the library's file name tells it, else `tfjs-node VERSION`. */
  readonly version: string;
  readonly tfjsNodeDirectory: string;
  readonly bindingPath: string;
  readonly libraryDirectory: string;
}

/**
 * Looks for @tensorflow/tfjs-node(-gpu) as its own install script leaves it, resolvable from a project's directory.
 * @returns it, or why it can't be used.
 */
export async function findOfficialEngine(
  release: EngineRelease,
  projectDirectory: string,
): Promise<OfficialEngine | { readonly reason: string }> {
  const { officialPackage } = release;
  const manifest = resolveManifest(officialPackage, projectDirectory);
  if (manifest === null) return { reason: `${officialPackage} is not installed in ${projectDirectory}` };
  const tfjsNodeDirectory = dirname(manifest);
  const built = new Set(await listing(join(tfjsNodeDirectory, "lib")));
  const api = BINDING_DIRECTORIES.find((name) => built.has(name));
  const libraryDirectory = join(tfjsNodeDirectory, "deps", "lib");
  const libraries = await listing(libraryDirectory);
  const bindingPath = api === undefined ? null : join(tfjsNodeDirectory, "lib", api, "tfjs_binding.node");
  if (bindingPath === null || !(await listing(dirname(bindingPath))).includes("tfjs_binding.node")) {
    return { reason: `${tfjsNodeDirectory} has no built binding: its install script did not run or failed` };
  }
  if (!libraries.some((name) => name.startsWith("libtensorflow"))) {
    return { reason: `${libraryDirectory} has no TensorFlow library: its install script did not run or failed` };
  }
  const version = libraryVersion(libraries) ?? `tfjs-node ${await packageVersion(manifest)}`;
  return { version, tfjsNodeDirectory, bindingPath, libraryDirectory };
}

/** `libtensorflow.so.2.9.1` → `2.9.1` */
function libraryVersion(files: readonly string[]): string | null {
  for (const file of files) {
    const version = /^libtensorflow(?:_cc)?\.so\.(\d+\.\d+\.\d+)$/.exec(file)?.[1];
    if (version !== undefined) return version;
  }
  return null;
}

function resolveManifest(packageName: string, projectDirectory: string): string | null {
  try {
    return createRequire(join(projectDirectory, "package.json")).resolve(`${packageName}/package.json`);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "MODULE_NOT_FOUND") return null;
    throw cause;
  }
}

async function packageVersion(manifest: string): Promise<string> {
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(manifest, "utf8"))).version;
}

async function listing(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    if (isSystemError(cause)) return [];
    throw cause;
  }
}
