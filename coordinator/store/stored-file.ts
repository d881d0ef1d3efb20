import type { FileId } from "./object-id.js";

/** A name for a content. */
export interface StoredFile {
  readonly id: FileId;
  /** As the client called it: data, never a path. Several files may bear one name. */
  readonly name: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Of the content, lower-case hex. */
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** What it belongs to, a job's id say; null: it is there in its own right. */
  readonly owner: string | null;
}

export interface FilePage {
  readonly files: readonly StoredFile[];
  /** Null: there are no more. */
  readonly next: string | null;
}

/** Files in one page at most. */
export const FILE_PAGE = 1000;

/** Which names there are, and for which contents. Promises resolve when the change survives a loss of power. */
export interface FileIndex {
  add(file: StoredFile): Promise<void>;
  /** @throws RingstrasseError NOT_FOUND */
  get(id: FileId): Promise<StoredFile>;
  /** The latest file of that name; null: there is none. */
  latest(name: string): Promise<StoredFile | null>;
  /** In the order of their creation. @throws RingstrasseError USAGE (limit, cursor) */
  list(query: { readonly limit: number; readonly cursor?: string | null }): Promise<FilePage>;
  /** Forgets one name. @returns what it named, and how many names its content still has @throws RingstrasseError NOT_FOUND */
  remove(id: FileId): Promise<{ readonly file: StoredFile; readonly namesLeft: number }>;
  /** Size in bytes of every content that has a name, by SHA-256. */
  contents(): Promise<ReadonlyMap<string, number>>;
  /** How many names the content has. */
  countNames(sha256: string): Promise<number>;
  /** The files that have an owner, by owner, each in the order of their creation. Memory grows with their number. */
  owned(): Promise<ReadonlyMap<string, readonly FileId[]>>;
}
