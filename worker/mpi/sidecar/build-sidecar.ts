import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, constants, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cacheDirectory } from "../../../shared/cache-directory.js";
import { createDirectory } from "../../../shared/create-directory.js";
import { unfinishedSibling } from "../../../shared/durable-file.js";
import { platformName } from "../../../shared/engine-store/engine-directory.js";
import type { RankLauncher } from "../../../shared/launch/launched-place.js";
import { isSystemError } from "../../../shared/write-failure.js";
import { mpiUnavailable } from "../mpi-failure.js";
import { findMpiCompiler } from "./find-mpi-compiler.js";

const SOURCE = fileURLToPath(new URL("./sidecar.c", import.meta.url));
/** As `ps` shows it. */
const NAME = "ringstrasse-mpi-sidecar";
const OPTIONS = ["-std=c11", "-O2"];
/** What the compiler's own version and the MPI's headers define: another version of either defines something else. */
const PRINT_MACROS = ["-E", "-dM", "-include", "mpi.h", "-x", "c", "/dev/null"];
/** Of what a compiler has printed: MPI's headers define thousands of macros. */
const MOST_OUTPUT_BYTES = 16 * 2 ** 20;
const LAST_LINES = 8;

export interface SidecarBuilding {
  readonly launcher: RankLauncher;
  /** The user's wish; null: none. */
  readonly compiler: string | null;
  /** Where the compiler and the cache are found by. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The sidecar for the MPI that launched this process: one that was compiled before, of the same source, by the same compiler and for the
 * same version of MPI, else a new one. Any number of processes may do this at once, and be killed while they do: each compiles into a
 * file of its own, and the program gets its name when it is whole.
 * @returns the program's path
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE without a compiler, with its last words when it fails, or without a place for the program
 */
export async function buildSidecar({ launcher, compiler: wish, environment }: SidecarBuilding): Promise<string> {
  const compiler = await findMpiCompiler(launcher, wish, environment);
  const run = (args: readonly string[]): Promise<string> => runCompiler(compiler, args, environment);
  const parts = [await readFile(SOURCE, "utf8"), compiler, OPTIONS.join(" "), await run(PRINT_MACROS)];
  const key = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
  const program = join(cacheDirectory(environment), "mpi-sidecar", `${platformName()}-${key}`, NAME);
  if (await isProgram(program)) return program;
  const unfinished = unfinishedSibling(program);
  try {
    await createDirectory(dirname(program));
    await run([...OPTIONS, "-o", unfinished, SOURCE]);
    await syncFile(unfinished);
    await rename(unfinished, program);
    return program;
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    const remedy = "Let XDG_CACHE_HOME name a directory that programs can be written to, and started from";
    throw mpiUnavailable(`the MPI sidecar can't be kept as ${program} (${cause.message})`, remedy, cause);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function isProgram(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** A power cut must not leave a name without its program. */
async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** @returns what it prints. @throws RingstrasseError COLLECTIVE_UNAVAILABLE when it fails */
async function runCompiler(
  compiler: string,
  args: readonly string[],
  environment: SidecarBuilding["environment"],
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(compiler, args, { env: environment, maxBuffer: MOST_OUTPUT_BYTES });
    return stdout;
  } catch (cause) {
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
    const words = said === "" ? String(cause) : said.split("\n").slice(-LAST_LINES).join("\n");
    const remedy =
      "A C compiler and MPI's headers are needed (Debian: libopenmpi-dev or libmpich-dev); another mpicc can be named by --mpi-compiler";
    throw mpiUnavailable(`${compiler} can't compile the MPI sidecar:\n${words}\n`, remedy, cause);
  }
}
