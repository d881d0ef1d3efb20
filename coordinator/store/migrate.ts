import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { RingstrasseError } from "../../shared/failure.js";
import type { LibsqlDatabase } from "./libsql-database.js";
import { storeIncompatible } from "./store-failure.js";

/** One change of the database's layout; never edited once released. */
export interface Migration {
  /** 1, 2, 3, … */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** One change that a database has been through. */
const AppliedSchema = z.object({ number: z.number(), name: z.string(), checksum: z.string() });
export type AppliedMigration = z.infer<typeof AppliedSchema>;

const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/;
const CountSchema = z.object({ count: z.number() });

/** The migrations of this version, in order. */
export async function readMigrations(): Promise<Migration[]> {
  const directory = fileURLToPath(new URL("./migrations", import.meta.url));
  const names = (await readdir(directory)).filter((name) => FILE_NAME.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({
      number: Number(FILE_NAME.exec(name)?.[1]),
      name,
      sql: await readFile(join(directory, name), "utf8"),
    })),
  );
}

/**
 * Brings a database to the newest layout: every migration that it lacks, in order, each in a transaction of its own with its record.
 * @throws RingstrasseError STORE_INCOMPATIBLE; then nothing was changed
 */
export async function migrate(
  database: LibsqlDatabase,
  migrations: readonly Migration[],
  nowMs: number,
): Promise<void> {
  for (const migration of pendingMigrations(database.path, migrations, readApplied(database))) {
    await database.write(() => {
      database.script(migration.sql);
      const insert = "INSERT INTO migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)";
      database.run(insert, migration.number, migration.name, checksumOf(migration), nowMs);
    });
  }
}

/**
 * Pure: which of `known` a database that has been through `applied` still needs.
 * @throws RingstrasseError STORE_INCOMPATIBLE: changed or newer than known
 */
export function pendingMigrations(
  path: string,
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
): Migration[] {
  known.forEach(({ number, name }, index) => {
    if (number === index + 1) return;
    throw new RingstrasseError({ code: "INTERNAL", problem: `migration ${name} is not number ${index + 1}` });
  });
  for (const { number, name, checksum } of applied) {
    const migration = known[number - 1];
    if (migration === undefined) {
      const problem = `the database is newer than this version (it has been through ${name})`;
      throw storeIncompatible(path, problem, "Start the version that wrote it, or a newer one");
    }
    if (checksumOf(migration) !== checksum) {
      const problem = `migration ${migration.name} is not the one that the database has been through`;
      throw storeIncompatible(path, problem, "Start the version that wrote it, or restore the migration as it was");
    }
  }
  return known.slice(applied.length);
}

export function checksumOf({ sql }: Migration): string {
  return createHash("sha256").update(sql).digest("hex");
}

function readApplied(database: LibsqlDatabase): AppliedMigration[] {
  const tables = "SELECT count(*) AS count FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
  const total = database.one(CountSchema, tables)?.count ?? 0;
  const own = database.one(CountSchema, `${tables} AND name = 'migrations'`)?.count ?? 0;
  if (total > 0 && own === 0) {
    const remedy = "Move that file away, or choose another data directory";
    throw storeIncompatible(database.path, "this is a database of another program", remedy);
  }
  database.script(`CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL
  ) STRICT`);
  return database.all(AppliedSchema, "SELECT number, name, checksum FROM migrations ORDER BY number");
}
