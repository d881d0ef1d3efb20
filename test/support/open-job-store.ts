import { join } from "node:path";
import type { JobStore } from "../../coordinator/store/job-store.js";
import { LibsqlDatabase } from "../../coordinator/store/libsql-database.js";
import { LibsqlJobStore } from "../../coordinator/store/libsql-job-store.js";
import { migrate, readMigrations } from "../../coordinator/store/migrate.js";
import { MemoryJobStore } from "./memory-job-store.js";
import { temporaryDirectory } from "./temporary-directory.js";

/** One way of keeping jobs. */
export interface JobStoreKind {
  readonly name: string;
  /** An empty store of the running test's own, with the test's clock. */
  open(now: () => number): Promise<JobStore>;
}

/** A database that is up to date, in a directory of the running test's own. */
export async function openDatabase(): Promise<LibsqlDatabase> {
  const database = LibsqlDatabase.open(join(await temporaryDirectory(), "store.db"), 0);
  await migrate(database, await readMigrations(), 0);
  return database;
}

export const JOB_STORE_KINDS: readonly JobStoreKind[] = [
  { name: "memory", open: (now) => Promise.resolve(new MemoryJobStore(now)) },
  { name: "libsql", open: async (now) => new LibsqlJobStore(await openDatabase(), now) },
];
