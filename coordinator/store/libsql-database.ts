import Libsql from "libsql";
import type { z } from "zod";
import type { RingstrasseError } from "../../shared/failure.js";
import { storeClosed, storeDamaged, storeUnavailable } from "./store-failure.js";

/** What a statement takes. The driver ends the process on a boolean, so this type is all that may reach it. */
export type SqlValue = string | number | null | Uint8Array;
type Statement = ReturnType<Libsql.Database["prepare"]>;

interface PendingWrite {
  /** Runs inside the transaction; the function it returns tells the caller. */
  readonly attempt: () => () => void;
  readonly reject: (reason: unknown) => void;
}

/** Writes that share one transaction at most: a bound for the time in which nothing else runs. */
const MAX_BATCH = 1000;
/** After a large transaction the log is cut back to this. */
const LOG_SIZE_BYTES = 64 * 2 ** 20;

/**
 * One SQLite file, held by this process alone from opening to closing; the operating system lets go of it when the process ends in
 * any way. (Nothing else in the process may open and close the file, which would drop the lock.) Reads are synchronous. Writes that
 * come in together share one transaction and one wait for the disk: a promise resolves when the device has the data.
 */
export class LibsqlDatabase implements AsyncDisposable {
  readonly path: string;
  readonly #database: Libsql.Database;
  readonly #statements = new Map<string, Statement>();
  #pending: PendingWrite[] = [];
  #open = true;

  private constructor(path: string, database: Libsql.Database) {
    this.path = path;
    this.#database = database;
  }

  /**
   * Opens or creates the file at an absolute path, waiting up to `lockWaitMs` for another process to let go of it, and checks it
   * from end to end. @throws RingstrasseError STORE_UNAVAILABLE, STORE_DAMAGED
   */
  static open(path: string, lockWaitMs: number): LibsqlDatabase {
    const database = new LibsqlDatabase(path, connect(path));
    try {
      database.#prepareFile(lockWaitMs);
      return database;
    } catch (cause) {
      database.#database.close();
      throw cause;
    }
  }

  #prepareFile(lockWaitMs: number): void {
    this.script(`PRAGMA busy_timeout = ${Math.ceil(lockWaitMs)}`);
    // Before the first look at the file: the log then needs no memory shared with other processes.
    this.#pragma("locking_mode = EXCLUSIVE");
    this.#pragma("journal_mode = WAL");
    this.script(`PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON`);
    this.#pragma(`journal_size_limit = ${LOG_SIZE_BYTES}`);
    this.script("BEGIN EXCLUSIVE; COMMIT");
    const [answer] = this.#pragma("quick_check(1)");
    const finding = Object.values(answer ?? {})[0];
    if (finding !== "ok")
      throw storeDamaged(this.path, `the database is damaged (${String(finding).replace(/\s+/g, " ")})`);
  }

  /** All rows of a query. @throws RingstrasseError STORE_UNAVAILABLE, STORE_DAMAGED */
  all<Row extends z.ZodType>(row: Row, sql: string, ...parameters: readonly SqlValue[]): z.output<Row>[] {
    return this.#execute(sql, parameters).map((found) => {
      const parsed = row.safeParse(found);
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      const problem = `a row is not as this software writes it (${issue?.path.join(".")}: ${issue?.message})`;
      throw storeDamaged(this.path, problem, parsed.error);
    });
  }

  /** The only row of a query, or null. @throws as {@link all} */
  one<Row extends z.ZodType>(row: Row, sql: string, ...parameters: readonly SqlValue[]): z.output<Row> | null {
    return this.all(row, sql, ...parameters)[0] ?? null;
  }

  /** One statement that changes something; only within {@link write}. @throws as {@link all} */
  run(sql: string, ...parameters: readonly SqlValue[]): void {
    this.#execute(sql, parameters);
  }

  /** Statements without parameters. @throws as {@link all} */
  script(sql: string): void {
    this.#guarded(() => this.#database.exec(sql));
  }

  /**
   * Does `work` in a transaction: all of it or, when it throws, nothing. Works run in the order of the calls.
   * @returns what it returned, once that is on disk @throws what it threw; STORE_UNAVAILABLE, STORE_DAMAGED
   */
  write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.#open) return reject(storeClosed(this.path));
      const attempt = () => {
        const result = work();
        return () => resolve(result);
      };
      this.#pending.push({ attempt, reject });
      // Everything that is asked for in this turn of the event loop goes to disk together.
      if (this.#pending.length === 1) setImmediate(() => this.#writePending());
    });
  }

  #writePending(): void {
    const batch = this.#pending.splice(0, MAX_BATCH);
    if (this.#pending.length > 0) setImmediate(() => this.#writePending());
    if (batch.length === 0) return;
    const settle: (() => void)[] = [];
    try {
      this.script("BEGIN IMMEDIATE");
      for (const write of batch) settle.push(this.#attempt(write));
      this.script("COMMIT");
    } catch (cause) {
      if (this.#database.inTransaction) this.script("ROLLBACK");
      for (const { reject } of batch) reject(cause);
      return;
    }
    for (const tell of settle) tell();
  }

  #attempt({ attempt, reject }: PendingWrite): () => void {
    this.script("SAVEPOINT work");
    try {
      const tell = attempt();
      this.script("RELEASE work");
      return tell;
    } catch (thrown) {
      // On a full disk, say, SQLite has rolled back everything itself: then the whole batch fails.
      if (!this.#database.inTransaction) throw thrown;
      this.script("ROLLBACK TO work; RELEASE work");
      return () => reject(thrown);
    }
  }

  /** Writes what is pending and lets go of the file, which then is all there is: no log beside it. */
  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return Promise.resolve();
    while (this.#pending.length > 0) this.#writePending();
    // Closing alone leaves the lock to the garbage collector as long as there are prepared statements.
    try {
      this.#pragma("journal_mode = DELETE");
      this.#pragma("locking_mode = NORMAL");
      this.#pragma("schema_version");
    } finally {
      this.#open = false;
      this.#statements.clear();
      this.#database.close();
    }
    return Promise.resolve();
  }

  #pragma(pragma: string): unknown[] {
    return this.#guarded(() => this.#database.prepare(`PRAGMA ${pragma}`).all([]));
  }

  #execute(sql: string, parameters: readonly SqlValue[]): unknown[] {
    return this.#guarded(() => {
      let statement = this.#statements.get(sql);
      if (statement === undefined) {
        statement = this.#database.prepare(sql);
        this.#statements.set(sql, statement);
      }
      // `all` even where one row is wanted: it runs a statement to its end, and leaves no cursor open.
      return statement.all([...parameters]);
    });
  }

  #guarded<T>(work: () => T): T {
    if (!this.#open) throw storeClosed(this.path);
    try {
      return work();
    } catch (cause) {
      throw sqlFailure(this.path, cause);
    }
  }
}

function connect(path: string): Libsql.Database {
  try {
    return new Libsql(path);
  } catch (cause) {
    throw inaccessible(path, cause);
  }
}

/** SQLite's primary result codes. */
const BUSY = 5;
const FULL = 13;
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);
/** PERM, READONLY, IOERR, CANTOPEN */
const INACCESSIBLE: ReadonlySet<number> = new Set([3, 8, 10, 14]);

/** What SQLite's codes mean to the person who runs the server; a defect of this software is given back as it is. */
function sqlFailure(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !("rawCode" in cause) || typeof cause.rawCode !== "number") return cause;
  const code = cause.rawCode & 0xff;
  if (code === BUSY) {
    const remedy = "Stop that server, or give this one another data directory";
    return storeUnavailable(path, "another server holds this data directory", remedy, cause);
  }
  if (code === FULL) {
    return storeUnavailable(path, "no space is left on the device", "Free some space, then try again", cause);
  }
  if (DAMAGED.has(code)) return storeDamaged(path, `the database is damaged (${cause.message})`, cause);
  return INACCESSIBLE.has(code) ? inaccessible(path, cause) : cause;
}

function inaccessible(path: string, cause: unknown): RingstrasseError {
  const remedy = "Check the directory's permissions and the disk, or choose another data directory";
  const reason = cause instanceof Error ? cause.message : String(cause);
  return storeUnavailable(path, `reading or writing failed (${reason})`, remedy, cause);
}
