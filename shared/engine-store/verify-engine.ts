import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { replaceFile } from "../durable-file.js";
import { isSystemError } from "../write-failure.js";
import type { EngineFile, EngineManifest } from "./engine-manifest.js";

const READ_BYTES = 1024 * 1024;

/** File states in which the checksums were found right: path → {@link fileState}. */
const SealSchema = z.record(z.string(), z.string());

/**
 * Compares an engine's files with its manifest.
 * @param effort `changed`: sizes, and the checksums of files that changed since they were last found right (a worker's
 * start must not
 * wait for a gigabyte to be read); `all`: every checksum.
 * @returns what is wrong, one sentence for each file; empty: all is well.
 */
export async function verifyEngine(
  directory: string,
  manifest: EngineManifest,
  effort: "changed" | "all",
): Promise<string[]> {
  const sealed = effort === "all" ? {} : await readSeal(directory);
  const seal: Record<string, string> = {};
  const problems: string[] = [];
  let hashed = false;
  for (const file of manifest.files) {
    const state = await fileState(join(directory, file.path));
    if (state !== null && sealed[file.path] === state) {
      seal[file.path] = state;
      continue;
    }
    hashed = true;
    const problem = state === null ? `${file.path} is missing` : await compare(directory, file);
    if (problem !== null) problems.push(problem);
    else if (state !== null) seal[file.path] = state;
  }
  if (hashed && problems.length === 0) await writeSeal(directory, seal);
  return problems;
}

/**
 * Notes the state of files that were just written with these checksums, so that the first use need not read them.
 * @throws system errors
 */
export async function sealEngine(directory: string, { files }: EngineManifest): Promise<void> {
  const seal: Record<string, string> = {};
  for (const { path } of files) {
    const state = await fileState(join(directory, path));
    if (state !== null) seal[path] = state;
  }
  await writeSeal(directory, seal);
}

async function compare(directory: string, file: EngineFile): Promise<string | null> {
  const path = join(directory, file.path);
  const { size } = await stat(path);
  if (size !== file.sizeBytes) return `${file.path} has ${size} bytes instead of ${file.sizeBytes}`;
  return (await sha256OfFile(path)) === file.sha256 ? null : `${file.path} has changed since it was installed`;
}

/** SHA-256 of a file of any size, lower-case hex. @throws system errors */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), hash);
  return hash.digest("hex");
}

/** Changes whenever somebody writes to the file or puts another in its place; null: no file there. */
async function fileState(path: string): Promise<string | null> {
  try {
    const { size, mtimeNs, ctimeNs, ino } = await stat(path, { bigint: true });
    return [size, mtimeNs, ctimeNs, ino].join(" ");
  } catch (cause) {
    if (isSystemError(cause) && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) return null;
    throw cause;
  }
}

function sealPath(directory: string): string {
  return join(directory, "verified.json");
}

async function readSeal(directory: string): Promise<Readonly<Record<string, string>>> {
  try {
    return SealSchema.parse(JSON.parse(await readFile(sealPath(directory), "utf8")));
  } catch (cause) {
    // Whatever is wrong with the seal, the checksums still tell the truth.
    if (isSystemError(cause) || cause instanceof SyntaxError || cause instanceof z.ZodError) return {};
    throw cause;
  }
}

async function writeSeal(directory: string, seal: Readonly<Record<string, string>>): Promise<void> {
  try {
    await replaceFile(sealPath(directory), Buffer.from(JSON.stringify(seal)));
  } catch (cause) {
    // An engine that an administrator installed for everybody can be used without a seal: it is only checked anew each time.
    if (!isSystemError(cause)) throw cause;
  }
}
