import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { JobFactsSchema } from "../../coordinator/store/job-record.js";
import { LibsqlDatabase } from "../../coordinator/store/libsql-database.js";

/** What a server that was killed has left in the middle. */
export interface LeftBehind {
  /** Jobs that had trained some steps. */
  readonly training: number;
  /** Files of runs whose jobs don't speak of them yet. */
  readonly unrecordedFiles: number;
  /** Contents that had not arrived whole. */
  readonly incoming: number;
}

const JobSchema = z.object({ id: z.string(), status: z.string(), facts: z.string() });
const FileSchema = z.object({ id: z.string(), owner: z.string() });
const DATABASE = ["store.db", "store.db-wal"];

/** Looks into a data directory that no server holds; at a copy, so that the next server finds everything as the last one left it. */
export async function storeAtRest(dataDirectory: string): Promise<LeftBehind> {
  const folder = await mkdtemp(join(tmpdir(), "ringstrasse-store-"));
  try {
    const names = (await readdir(dataDirectory)).filter((name) => DATABASE.includes(name));
    for (const name of names) await copyFile(join(dataDirectory, name), join(folder, name));
    await using database = LibsqlDatabase.open(join(folder, "store.db"), 0);
    const jobs = database.all(JobSchema, "SELECT id, status, facts FROM jobs").map(({ id, status, facts }) => {
      return { id, status, facts: JobFactsSchema.parse(JSON.parse(facts)) };
    });
    const recorded = new Set(jobs.flatMap(({ facts }) => facts.run.modelFileIds));
    const owned = database.all(FileSchema, "SELECT id, owner FROM files WHERE owner IS NOT NULL");
    const isTraining = ({ status, facts }: (typeof jobs)[number]) =>
      status === "INPROGRESS" && facts.progress !== null && facts.progress.step > 0;
    return {
      training: jobs.filter(isTraining).length,
      unrecordedFiles: owned.filter(({ id }) => !recorded.has(id)).length,
      incoming: (await readdir(join(dataDirectory, "incoming"))).length,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
