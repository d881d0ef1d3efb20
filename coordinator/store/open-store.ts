import { readFile, realpath } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { pid } from "node:process";
import { z } from "zod";
import { createDirectory } from "../../shared/create-directory.js";
import { replaceFile } from "../../shared/durable-file.js";
import { RingstrasseError } from "../../shared/failure.js";
import { isSystemError, writeFailure } from "../../shared/write-failure.js";
import { type FileLimits, FileStore } from "./file-store.js";
import { fileSystemKind, isSharedFileSystem } from "./file-system-kind.js";
import type { JobStore } from "./job-store.js";
import { LibsqlDatabase } from "./libsql-database.js";
import { LibsqlFileIndex } from "./libsql-file-index.js";
import { LibsqlJobStore } from "./libsql-job-store.js";
import { migrate, readMigrations } from "./migrate.js";
import { storeUnavailable } from "./store-failure.js";

export interface StoreOptions {
  /** The server's data directory; created with its parents when it is not there. */
  readonly directory: string;
  readonly limits: FileLimits;
  /** How long to wait for a server that is just ending. Nothing else runs meanwhile. Default 2000. */
  readonly lockWaitMs?: number;
  /** Milliseconds since 1970; default the system's clock. */
  readonly now?: () => number;
}

/** All that a server keeps. Disposing of it closes both, and lets the next server in. */
export interface Store extends AsyncDisposable {
  readonly jobs: JobStore;
  readonly files: FileStore;
}

/** Who holds the directory: for people, beside the lock itself. */
const HOLDER = "server.json";
const HolderSchema = z
  .string()
  .regex(/^\{"pid":\d+,"host":"[^"\\]*"\}\n$/)
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.object({ pid: z.number(), host: z.string() }));

/**
 * Opens a data directory for this process alone: refuses shared file systems, takes the lock, checks the database, brings it up to
 * date, and tidies the files.
 * @throws RingstrasseError OUTPUT_UNWRITABLE, STORE_UNAVAILABLE, STORE_INCOMPATIBLE, STORE_DAMAGED
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { limits, now = Date.now } = options;
  const directory = await prepareDirectory(options.directory);
  const database = await lock(directory, options.lockWaitMs ?? 2000);
  try {
    await replaceFile(join(directory, HOLDER), Buffer.from(`${JSON.stringify({ pid, host: hostname() })}\n`));
    await migrate(database, await readMigrations(), now());
    const files = await FileStore.open({ directory, index: new LibsqlFileIndex(database), limits, now });
    const jobs = new LibsqlJobStore(database, now);
    return { jobs, files, [Symbol.asyncDispose]: () => jobs[Symbol.asyncDispose]() };
  } catch (cause) {
    await database[Symbol.asyncDispose]();
    throw writeFailure(directory, cause);
  }
}

async function prepareDirectory(path: string): Promise<string> {
  try {
    await createDirectory(path);
  } catch (cause) {
    throw writeFailure(path, cause);
  }
  const directory = await realpath(path);
  const kind = fileSystemKind(directory, await readMounts());
  if (kind === null || !isSharedFileSystem(kind)) return directory;
  const problem = `this is a ${kind} file system, on which a database can't be kept safely`;
  throw storeUnavailable(
    path,
    problem,
    "Choose a data directory on a local disk; only the results may lie on a shared one",
  );
}

/** Only Linux has this list; elsewhere the directory is taken as it is. */
async function readMounts(): Promise<string> {
  try {
    return await readFile("/proc/self/mounts", "utf8");
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return "";
    throw cause;
  }
}

async function lock(directory: string, waitMs: number): Promise<LibsqlDatabase> {
  try {
    return LibsqlDatabase.open(join(directory, "store.db"), waitMs);
  } catch (cause) {
    if (!(cause instanceof RingstrasseError) || cause.failure.code !== "STORE_UNAVAILABLE") throw cause;
    const { path, problem, remedy } = cause.failure;
    throw storeUnavailable(path, `${problem}${await describeHolder(directory)}`, remedy, cause);
  }
}

/** The file may be an earlier holder's: it helps a person, and decides nothing. */
async function describeHolder(directory: string): Promise<string> {
  const text = await readFile(join(directory, HOLDER), "utf8").catch(() => "");
  const holder = HolderSchema.safeParse(text);
  return holder.success ? ` (by the last record: process ${holder.data.pid} on ${holder.data.host})` : "";
}
