import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LibsqlDatabase } from "../../../../coordinator/store/libsql-database.js";
import { LibsqlJobStore } from "../../../../coordinator/store/libsql-job-store.js";
import { type Migration, migrate, readMigrations } from "../../../../coordinator/store/migrate.js";
import { failureOf } from "../../../support/failure-of.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const first: Migration = {
  number: 1,
  name: "0001-a.sql",
  sql: "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (7);",
};
const second: Migration = { number: 2, name: "0002-b.sql", sql: "CREATE TABLE b AS SELECT x + 1 AS x FROM a;" };
const broken: Migration = { number: 2, name: "0002-b.sql", sql: "CREATE TABLE b (x); CREATE TABEL c (x);" };

async function databaseIn(directory: string): Promise<LibsqlDatabase> {
  return await Promise.resolve(LibsqlDatabase.open(join(directory, "store.db"), 0));
}
const tablesOf = (database: LibsqlDatabase): string[] =>
  database
    .all(z.object({ name: z.string() }), "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .map(({ name }) => name);

describe("migrate", () => {
  it("numbers this version's migrations without gaps, and makes them a working store", async () => {
    const migrations = await readMigrations();
    expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
    await using database = await databaseIn(await temporaryDirectory());
    await migrate(database, migrations, 0);
    const store = new LibsqlJobStore(database, () => 0);
    expect(await store.create({ document: { json: "{}", xml: null } })).toMatchObject({ number: 1 });
  });

  it("brings an old database up to date and keeps what is in it, each migration once", async () => {
    const directory = await temporaryDirectory();
    {
      await using database = await databaseIn(directory);
      await migrate(database, [first], 5);
    }
    await using database = await databaseIn(directory);
    await migrate(database, [first, second], 6);
    await migrate(database, [first, second], 7);
    expect(database.all(z.object({ x: z.number() }), "SELECT x FROM b")).toEqual([{ x: 8 }]);
    const Row = z.object({ number: z.number(), name: z.string(), applied_at: z.number() });
    expect(database.all(Row, "SELECT number, name, applied_at FROM migrations ORDER BY number")).toEqual([
      { number: 1, name: "0001-a.sql", applied_at: 5 },
      { number: 2, name: "0002-b.sql", applied_at: 6 },
    ]);
  });

  it("leaves nothing of a migration that fails", async () => {
    await using database = await databaseIn(await temporaryDirectory());
    await expect(migrate(database, [first, broken], 0)).rejects.toThrow(/TABEL/);
    expect(tablesOf(database)).toEqual(["a", "migrations"]);
    await migrate(database, [first, second], 0);
    expect(tablesOf(database)).toEqual(["a", "b", "migrations"]);
  });

  it("refuses a database whose migration was edited since", async () => {
    await using database = await databaseIn(await temporaryDirectory());
    await migrate(database, [first], 0);
    const edited = { ...first, sql: `${first.sql} -- a remark` };
    const failure = await failureOf(() => migrate(database, [edited, second], 0));
    expect(failure).toMatchObject({ code: "STORE_INCOMPATIBLE", path: database.path });
    expect(failure.message).toMatch(/migration 0001-a\.sql is not the one that .* been through\. Start the version/);
    expect(tablesOf(database)).toEqual(["a", "migrations"]);
  });

  it("refuses a database of a newer version", async () => {
    await using database = await databaseIn(await temporaryDirectory());
    await migrate(database, [first, second], 0);
    const failure = await failureOf(() => migrate(database, [first], 0));
    expect(failure).toMatchObject({ code: "STORE_INCOMPATIBLE", path: database.path });
    expect(failure.message).toMatch(/newer than this version \(it has been through 0002-b\.sql\)\. Start the version/);
  });

  it("refuses a database of another program, and leaves it as it is", async () => {
    await using database = await databaseIn(await temporaryDirectory());
    database.script("CREATE TABLE jobs (x)");
    const failure = await failureOf(() => migrate(database, [first], 0));
    expect(failure).toMatchObject({ code: "STORE_INCOMPATIBLE" });
    expect(failure.message).toMatch(/database of another program\. Move that file away/);
    expect(tablesOf(database)).toEqual(["jobs"]);
  });

  it("notices a gap in its own migrations", async () => {
    await using database = await databaseIn(await temporaryDirectory());
    expect(await failureOf(() => migrate(database, [second], 0))).toMatchObject({
      code: "INTERNAL",
      problem: "migration 0002-b.sql is not number 1",
    });
  });
});
