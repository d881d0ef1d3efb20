import { FileStore } from "../../coordinator/store/file-store.js";
import type { JobStore } from "../../coordinator/store/job-store.js";
import { LibsqlFileIndex } from "../../coordinator/store/libsql-file-index.js";
import { LibsqlJobStore } from "../../coordinator/store/libsql-job-store.js";
import { openDatabase } from "./open-job-store.js";
import type { StoreKind } from "./service-place.js";

/** A store whose file can be read, but at times not be written: SQLite itself then refuses, as on a disk that fails. */
export interface FailingStore extends StoreKind {
  setWritable(isWritable: boolean): void;
  /** Of the store that is open. */
  jobs(): JobStore;
}

export async function failingStore(): Promise<FailingStore> {
  const database = await openDatabase();
  const jobs = new LibsqlJobStore(database, Date.now);
  return {
    name: "libsql",
    jobs: () => jobs,
    open: async (directory) => {
      const limits = { quotaBytes: 1e9, maxFileBytes: 1e8 };
      const index = new LibsqlFileIndex(database);
      const files = await FileStore.open({ directory, index, limits, now: Date.now });
      return { jobs, files, [Symbol.asyncDispose]: () => jobs[Symbol.asyncDispose]() };
    },
    setWritable: (isWritable) => database.script(`PRAGMA query_only = ${isWritable ? "OFF" : "ON"}`),
  };
}
