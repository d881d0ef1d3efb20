import { z } from "zod";
import { checkLimit, readCursor } from "./check-arguments.js";
import type { LibsqlDatabase } from "./libsql-database.js";
import { type FileId, FileIdSchema } from "./object-id.js";
import { fileNotFound } from "./store-failure.js";
import { FILE_PAGE, type FileIndex, type FilePage, type StoredFile } from "./stored-file.js";

const COLUMNS = "number, id, name, content_type, size_bytes, sha256, created_at, owner";
const INSERT =
  "INSERT INTO files (id, name, content_type, size_bytes, sha256, created_at, owner) VALUES (?, ?, ?, ?, ?, ?, ?)";
const SELECT_BY_ID = `SELECT ${COLUMNS} FROM files WHERE id = ?`;
export const SELECT_LATEST = `SELECT ${COLUMNS} FROM files WHERE name = ? ORDER BY number DESC LIMIT 1`;
export const SELECT_FILES = `SELECT ${COLUMNS} FROM files WHERE number > ? ORDER BY number LIMIT ?`;
export const COUNT_NAMES = "SELECT count(*) AS count FROM files WHERE sha256 = ?";
export const SELECT_OWNED = "SELECT owner, id FROM files WHERE owner IS NOT NULL ORDER BY owner, number";
export const SELECT_CONTENTS = "SELECT DISTINCT sha256, size_bytes AS sizeBytes FROM files";

const FileRowSchema = z
  .object({
    number: z.number(),
    id: FileIdSchema,
    name: z.string(),
    content_type: z.string(),
    size_bytes: z.number(),
    sha256: z.string(),
    created_at: z.number(),
    owner: z.string().nullable(),
  })
  .transform(({ number, id, name, content_type, size_bytes, sha256, created_at, owner }) => {
    const file: StoredFile = {
      id,
      name,
      contentType: content_type,
      sizeBytes: size_bytes,
      sha256,
      createdAt: created_at,
      owner,
    };
    return { number, file };
  });
const ContentRowSchema = z.object({ sha256: z.string(), sizeBytes: z.number() });
const OwnedRowSchema = z.object({ owner: z.string(), id: FileIdSchema });
const CountRowSchema = z.object({ count: z.number() });

/** Names of files in a database that was opened and migrated; ends with it. */
export class LibsqlFileIndex implements FileIndex {
  readonly #database: LibsqlDatabase;

  constructor(database: LibsqlDatabase) {
    this.#database = database;
  }

  add({ id, name, contentType, sizeBytes, sha256, createdAt, owner }: StoredFile): Promise<void> {
    return this.#database.write(() => {
      this.#database.run(INSERT, id, name, contentType, sizeBytes, sha256, createdAt, owner);
    });
  }

  get(id: FileId): Promise<StoredFile> {
    return this.#read(() => this.#find(id));
  }

  latest(name: string): Promise<StoredFile | null> {
    return this.#read(() => this.#database.one(FileRowSchema, SELECT_LATEST, name)?.file ?? null);
  }

  list({ limit, cursor }: { readonly limit: number; readonly cursor?: string | null }): Promise<FilePage> {
    return this.#read(() => {
      checkLimit(limit, FILE_PAGE);
      const found = this.#database.all(FileRowSchema, SELECT_FILES, readCursor(cursor) ?? 0, limit + 1);
      const page = found.slice(0, limit);
      const next = found.length > limit ? String(page.at(-1)?.number) : null;
      return { files: page.map(({ file }) => file), next };
    });
  }

  remove(id: FileId): Promise<{ readonly file: StoredFile; readonly namesLeft: number }> {
    return this.#database.write(() => {
      const file = this.#find(id);
      this.#database.run("DELETE FROM files WHERE id = ?", id);
      return { file, namesLeft: this.#count(file.sha256) };
    });
  }

  contents(): Promise<ReadonlyMap<string, number>> {
    return this.#read(() => {
      const rows = this.#database.all(ContentRowSchema, SELECT_CONTENTS);
      return new Map(rows.map(({ sha256, sizeBytes }) => [sha256, sizeBytes]));
    });
  }

  countNames(sha256: string): Promise<number> {
    return this.#read(() => this.#count(sha256));
  }

  owned(): Promise<ReadonlyMap<string, readonly FileId[]>> {
    return this.#read(() => {
      const files = new Map<string, FileId[]>();
      for (const { owner, id } of this.#database.all(OwnedRowSchema, SELECT_OWNED)) {
        const own = files.get(owner);
        if (own === undefined) files.set(owner, [id]);
        else own.push(id);
      }
      return files;
    });
  }

  #find(id: FileId): StoredFile {
    const row = this.#database.one(FileRowSchema, SELECT_BY_ID, id);
    if (row === null) throw fileNotFound(id);
    return row.file;
  }

  #count(sha256: string): number {
    return this.#database.one(CountRowSchema, COUNT_NAMES, sha256)?.count ?? 0;
  }

  #read<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => resolve(work()));
  }
}
