import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isSystemError } from "../write-failure.js";
import { NATIVE_ENGINE_NAMES } from "./engine-release.js";

/** Relative, `/`-separated, without `.` or `..`: it can't leave the engine's directory. */
const RelativePathSchema = z
  .string()
  .regex(/^(?!\/)[^\\\0]+$/)
  .refine(
    (path) => path.split("/").every((part) => part !== "" && part !== "." && part !== ".."),
    "leaves its directory",
  );

export const EngineFileSchema = z.strictObject({
  path: RelativePathSchema,
  sizeBytes: z.number().int().nonnegative(),
  /** Lower-case hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type EngineFile = z.infer<typeof EngineFileSchema>;

/** What an installed engine's directory holds, written by its installation as `manifest.json`. */
export const EngineManifestSchema = z.strictObject({
  format: z.literal(1),
  name: z.enum(NATIVE_ENGINE_NAMES),
  version: z.string(),
  revision: z.number().int(),
  device: z.enum(["cpu", "gpu"]),
  platform: z.string(),
  /** ISO 8601. */
  installedAt: z.string(),
  /** The version of the software that installed it. */
  installedBy: z.string(),
  /** Where the files came from: packages with their registry hashes. */
  sources: z.array(z.strictObject({ package: z.string(), version: z.string(), url: z.string(), hash: z.string() })),
  /** Paths within the directory. */
  binding: RelativePathSchema,
  libraries: RelativePathSchema,
  files: z.array(EngineFileSchema).min(1),
});
export type EngineManifest = z.infer<typeof EngineManifestSchema>;

const MANIFEST_FILE = "manifest.json";

/** Where an engine's directory keeps its manifest. */
export function manifestPath(directory: string): string {
  return join(directory, MANIFEST_FILE);
}

/** A manifest, or why there is none. @throws system errors other than a missing file */
export async function readManifest(
  directory: string,
): Promise<{ readonly manifest: EngineManifest } | { readonly manifest: null; readonly problem: string | null }> {
  const path = manifestPath(directory);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (isSystemError(cause) && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) {
      return { manifest: null, problem: null };
    }
    throw cause;
  }
  const parsed = EngineManifestSchema.safeParse(parseJson(text));
  if (parsed.success) return { manifest: parsed.data };
  const issue = parsed.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  return { manifest: null, problem: `${path} is damaged${place} (${issue?.message ?? "not understood"})` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
