import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LibsqlDatabase } from "../../../../coordinator/store/libsql-database.js";
import { failureOf } from "../../../support/failure-of.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const Row = z.object({ x: z.number() });

async function openedIn(directory: string): Promise<LibsqlDatabase> {
  const database = LibsqlDatabase.open(join(directory, "store.db"), 0);
  await database.write(() => database.script("CREATE TABLE IF NOT EXISTS t (x INTEGER UNIQUE)"));
  return database;
}

describe("LibsqlDatabase", () => {
  it("writes through to the device", async () => {
    await using database = await openedIn(await temporaryDirectory());
    const FULL = 2;
    expect(database.one(z.object({ synchronous: z.number() }), "PRAGMA synchronous")).toEqual({ synchronous: FULL });
    const Mode = z.object({ journal_mode: z.string() });
    expect(database.one(Mode, "PRAGMA journal_mode")).toEqual({ journal_mode: "wal" });
  });

  it("undoes a work that throws, and no other of the same moment", async () => {
    await using database = await openedIn(await temporaryDirectory());
    const insert = (x: number) => database.run("INSERT INTO t VALUES (?)", x);
    const reason = new Error("changed my mind");
    const outcomes = await Promise.allSettled([
      database.write(() => insert(1)),
      database.write(() => {
        insert(2);
        throw reason;
      }),
      database.write(() => {
        insert(3);
        return database.all(Row, "SELECT x FROM t ORDER BY x");
      }),
      database.write(() => {
        insert(4);
        insert(1);
      }),
    ]);
    expect(outcomes[0]).toMatchObject({ status: "fulfilled" });
    expect(outcomes[1]).toEqual({ status: "rejected", reason });
    expect(outcomes[2]).toEqual({ status: "fulfilled", value: [{ x: 1 }, { x: 3 }] });
    expect(outcomes[3]).toMatchObject({ status: "rejected", reason: { code: "SQLITE_CONSTRAINT_UNIQUE" } });
    expect(database.all(Row, "SELECT x FROM t ORDER BY x")).toEqual([{ x: 1 }, { x: 3 }]);
  });

  it("does more works at once than one transaction takes, in the order of the calls", async () => {
    await using database = await openedIn(await temporaryDirectory());
    const order: number[] = [];
    const works = Array.from({ length: 2500 }, (_, x) =>
      database.write(() => {
        order.push(x);
        database.run("INSERT INTO t VALUES (?)", x);
      }),
    );
    await Promise.all(works);
    expect(order).toEqual(works.map((_, x) => x));
    expect(database.one(Row, "SELECT count(*) AS x FROM t")).toEqual({ x: 2500 });
  });

  it("tells all works of one transaction when the disk has no room, and keeps what was there", async () => {
    await using database = await openedIn(await temporaryDirectory());
    await database.write(() => database.run("INSERT INTO t VALUES (1)"));
    database.script("PRAGMA max_page_count = 20");
    const large = () => {
      database.script("CREATE TABLE big (b BLOB)");
      database.run("INSERT INTO big VALUES (zeroblob(1000000))");
    };
    const works = [database.write(() => database.run("INSERT INTO t VALUES (2)")), database.write(large)];
    const failures = await Promise.all(works.map((work) => failureOf(() => work).catch(() => null)));
    expect(failures[1]).toMatchObject({ code: "STORE_UNAVAILABLE", path: database.path });
    expect(failures[1]?.message).toMatch(/no space is left on the device\. Free some space/);
    const kept = failures[0] === null ? [{ x: 1 }, { x: 2 }] : [{ x: 1 }];
    expect(database.all(Row, "SELECT x FROM t ORDER BY x")).toEqual(kept);
    await database.write(() => database.run("INSERT INTO t VALUES (3)"));
    expect(database.all(Row, "SELECT x FROM t ORDER BY x")).toEqual([...kept, { x: 3 }]);
  });

  it("is held by one at a time, and free as soon as it is closed", async () => {
    const directory = await temporaryDirectory();
    for (let round = 0; round < 3; round++) {
      await using database = await openedIn(directory);
      await database.write(() => database.run("INSERT INTO t VALUES (?)", round));
      const failure = await failureOf(() => LibsqlDatabase.open(database.path, 0));
      expect(failure).toMatchObject({ code: "STORE_UNAVAILABLE", path: database.path });
      expect(failure.message).toMatch(/another server holds this data directory\. Stop that server/);
      expect(database.one(Row, "SELECT count(*) AS x FROM t")).toEqual({ x: round + 1 });
    }
    expect(await readdir(directory)).toEqual(["store.db"]);
  });

  it.each([
    ["what is no database", (bytes: Buffer) => bytes.fill(7)],
    ["a database with damaged pages", (bytes: Buffer) => bytes.fill(7, 4096, 2 * 4096)],
  ])("refuses %s", async (_, damage) => {
    const directory = await temporaryDirectory();
    {
      await using database = await openedIn(directory);
      await database.write(() => {
        for (let x = 0; x < 5000; x++) database.run("INSERT INTO t VALUES (?)", x);
      });
    }
    const path = join(directory, "store.db");
    await writeFile(path, damage(await readFile(path)));
    const failure = await failureOf(() => LibsqlDatabase.open(path, 0));
    expect(failure).toMatchObject({ code: "STORE_DAMAGED", path });
    expect(failure.message).toMatch(/the database is damaged \(.+\)\. Restore the data directory from a backup/);
  });

  it("names the file that it can't open", async () => {
    const path = join(await temporaryDirectory(), "none", "store.db");
    expect(await failureOf(() => LibsqlDatabase.open(path, 0))).toMatchObject({ code: "STORE_UNAVAILABLE", path });
  });

  it("says which column is not as it should be", async () => {
    await using database = await openedIn(await temporaryDirectory());
    const failure = await failureOf(() => database.all(Row, "SELECT 'text' AS x"));
    expect(failure).toMatchObject({ code: "STORE_DAMAGED", path: database.path });
    expect(failure.message).toMatch(/a row is not as this software writes it \(x: /);
  });
});
