import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { RingstrasseError } from "../../shared/failure.js";
import { isSystemError } from "../../shared/write-failure.js";
import { checkWhole, usage } from "./check-arguments.js";
import { type ArrivedContent, ContentDirectory } from "./content-directory.js";
import { type FileId, newFileId } from "./object-id.js";
import { storeDamaged } from "./store-failure.js";
import type { FileIndex, FilePage, StoredFile } from "./stored-file.js";

export interface FileStoreOptions {
  /** Contents lie in `files/` and `incoming/` below it. */
  readonly directory: string;
  readonly index: FileIndex;
  readonly limits: FileLimits;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface FileLimits {
  /** All contents together, each counted once however many names it has, and what is arriving. */
  readonly quotaBytes: number;
  /** One file. */
  readonly maxFileBytes: number;
}

export interface Upload {
  /** 1 to 255 characters, none of them a control character. */
  readonly name: string;
  readonly contentType: string;
  /** See {@link StoredFile.owner}; default null. */
  readonly owner?: string | null;
  /** How much will come, where that is known: what there is no room for is refused before any of it is asked for. */
  readonly sizeBytes?: number | undefined;
  readonly signal?: AbortSignal;
}

/** Bytes `first` to `last` of a file, both included and counted from 0, as in HTTP. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Named files whose contents are kept once each. An upload is there whole when its promise resolves, and survives a loss of power;
 * whenever the process ends before, nothing of it is there when the next one has opened the store. Calls may overlap.
 */
export class FileStore {
  readonly #options: FileStoreOptions;
  readonly #contents: ContentDirectory;
  /** Arrived and arriving. */
  #usedBytes = 0;
  #damaged: readonly string[] = [];
  /** Whoever gives contents their places, or takes them away, does so in turn. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: FileStoreOptions, contents: ContentDirectory) {
    this.#options = options;
    this.#contents = contents;
  }

  /** What one file may have. */
  get maxFileBytes(): number {
    return this.#options.limits.maxFileBytes;
  }

  /**
   * Opens the store and puts it in order: what was arriving when the last server ended, and contents without a name, are removed.
   * Cost: one look at each content's name. @throws RingstrasseError OUTPUT_UNWRITABLE, STORE_UNAVAILABLE
   */
  static async open(options: FileStoreOptions): Promise<FileStore> {
    const store = new FileStore(options, await ContentDirectory.open(options.directory));
    await store.#tidy();
    return store;
  }

  /**
   * Paths of contents that have names, but were not there whole when the store was opened. Reading such a file fails; uploading its
   * content again mends it.
   */
  get damaged(): readonly string[] {
    return this.#damaged;
  }

  /** By all contents, and by what is arriving. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get limits(): FileLimits {
    return this.#options.limits;
  }

  /**
   * Stores what `content` yields; memory stays flat. An equal content that is there already is not stored again, but counts against
   * the quota until it has arrived. When it fails, nothing is left.
   * @throws RingstrasseError QUOTA_EXCEEDED (`file`, `files`), USAGE (name), OUTPUT_UNWRITABLE, STORE_UNAVAILABLE; the signal's reason
   */
  async add(
    content: AsyncIterable<Uint8Array>,
    { name, contentType, owner = null, sizeBytes: announcedBytes = 0, signal }: Upload,
  ): Promise<StoredFile> {
    checkText("name", name);
    checkText("contentType", contentType);
    this.#admit(name, 0, announcedBytes);
    let arrivedBytes = 0;
    const admit = (sizeBytes: number) => {
      signal?.throwIfAborted();
      this.#admit(name, arrivedBytes, sizeBytes);
      arrivedBytes += sizeBytes;
      this.#usedBytes += sizeBytes;
    };
    try {
      const arrived = await this.#contents.receive(content, admit);
      try {
        signal?.throwIfAborted();
        return await this.#inTurn(() => this.#keep(arrived, { name, contentType, owner }));
      } finally {
        await this.#contents.discard(arrived);
      }
    } finally {
      this.#usedBytes -= arrivedBytes;
    }
  }

  /** @throws RingstrasseError NOT_FOUND, STORE_UNAVAILABLE */
  get(id: FileId): Promise<StoredFile> {
    return this.#options.index.get(id);
  }

  /** The latest file of that name; null: there is none. @throws RingstrasseError STORE_UNAVAILABLE */
  latest(name: string): Promise<StoredFile | null> {
    return this.#options.index.latest(name);
  }

  /** In the order of their creation, 1 to `FILE_PAGE` at once. @throws RingstrasseError USAGE (limit, cursor), STORE_UNAVAILABLE */
  list(query: { readonly limit: number; readonly cursor?: string | null }): Promise<FilePage> {
    return this.#options.index.list(query);
  }

  /** As `FileIndex.owned`. @throws RingstrasseError STORE_UNAVAILABLE */
  owned(): Promise<ReadonlyMap<string, readonly FileId[]>> {
    return this.#options.index.owned();
  }

  /** Forgets one file; its content goes with its last name. Streams that are open stay whole. @throws RingstrasseError NOT_FOUND, … */
  delete(id: FileId): Promise<void> {
    return this.#inTurn(async () => {
      const { file, namesLeft } = await this.#options.index.remove(id);
      if (namesLeft > 0) return;
      this.#usedBytes -= file.sizeBytes;
      await this.#contents.remove(file.sha256);
    });
  }

  /**
   * The file's bytes, or some of them. The caller reads the stream to its end or destroys it.
   * @throws RingstrasseError USAGE (range), NOT_FOUND (deleted since it was looked up), STORE_DAMAGED (the content is not there whole)
   */
  async read(file: StoredFile, range?: ByteRange): Promise<Readable> {
    if (range !== undefined) checkRange(range, file.sizeBytes);
    await this.#check(file);
    const content = await this.#open(file);
    return content.createReadStream(range === undefined ? {} : { start: range.first, end: range.last });
  }

  /**
   * Where the content lies, for those that read by path: never changed, there until the file is deleted, and not to be written to.
   * @throws RingstrasseError NOT_FOUND (deleted since it was looked up), STORE_DAMAGED (the content is not there whole)
   */
  async pathOf(file: StoredFile): Promise<string> {
    await this.#check(file);
    return this.#contents.path(file.sha256);
  }

  /** @throws RingstrasseError QUOTA_EXCEEDED (`files`): that much more has no room now */
  requireRoom(name: string, sizeBytes: number): void {
    const { quotaBytes } = this.#options.limits;
    if (this.#usedBytes + sizeBytes <= quotaBytes) return;
    const problem = `there is no room for ${JSON.stringify(name)} in the ${quotaBytes} bytes that all files may have`;
    const remedy = "Delete files that are no longer needed, or start the server with a larger quota";
    throw new RingstrasseError({ code: "QUOTA_EXCEEDED", quota: "files", limitBytes: quotaBytes, problem, remedy });
  }

  #admit(name: string, arrivedBytes: number, sizeBytes: number): void {
    const { maxFileBytes } = this.#options.limits;
    if (arrivedBytes + sizeBytes > maxFileBytes) {
      const problem = `${JSON.stringify(name)} is larger than the ${maxFileBytes} bytes that one file may have`;
      const remedy = "Send a smaller file, or start the server with a larger limit";
      throw new RingstrasseError({ code: "QUOTA_EXCEEDED", quota: "file", limitBytes: maxFileBytes, problem, remedy });
    }
    this.requireRoom(name, sizeBytes);
  }

  /** First the content, then its name: whenever the process ends, there is no name without a content. */
  async #keep(arrived: ArrivedContent, about: Pick<StoredFile, "name" | "contentType" | "owner">): Promise<StoredFile> {
    const { index, now } = this.#options;
    const { sha256, sizeBytes } = arrived;
    const isNew = (await index.countNames(sha256)) === 0;
    await this.#contents.keep(arrived);
    const createdAt = now();
    const file: StoredFile = { id: newFileId(createdAt), ...about, sizeBytes, sha256, createdAt };
    try {
      await index.add(file);
    } catch (cause) {
      if (isNew) await this.#contents.remove(sha256);
      throw cause;
    }
    if (isNew) this.#usedBytes += sizeBytes;
    return file;
  }

  async #tidy(): Promise<void> {
    const named = await this.#options.index.contents();
    for await (const sha256 of this.#contents.all()) {
      if (!named.has(sha256)) await this.#contents.remove(sha256);
    }
    const damaged: string[] = [];
    for (const [sha256, sizeBytes] of named) {
      if ((await this.#contents.size(sha256)) !== sizeBytes) damaged.push(this.#contents.path(sha256));
      this.#usedBytes += sizeBytes;
    }
    this.#damaged = damaged;
  }

  async #check(file: StoredFile): Promise<void> {
    const { sha256, sizeBytes } = file;
    const found = await this.#contents.size(sha256);
    if (found === sizeBytes) return;
    if (found === null) throw await this.#missing(file);
    throw storeDamaged(this.#contents.path(sha256), `the content has ${found} bytes instead of ${sizeBytes}`);
  }

  async #open(file: StoredFile): Promise<FileHandle> {
    try {
      return await open(this.#contents.path(file.sha256), "r");
    } catch (cause) {
      if (isSystemError(cause) && cause.code === "ENOENT") throw await this.#missing(file);
      throw cause;
    }
  }

  /** A name goes before its content: one that is still there has lost it. @throws RingstrasseError NOT_FOUND */
  async #missing({ id, sha256 }: StoredFile): Promise<RingstrasseError> {
    await this.#options.index.get(id);
    return storeDamaged(this.#contents.path(sha256), "the content is missing");
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** Names and types end up in headers and lists. @throws RingstrasseError USAGE */
function checkText(option: "name" | "contentType", text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (text.length >= 1 && text.length <= 255 && !/[\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/u.test(text)) return;
  const problem = text === "" ? "it is empty" : "it is longer than 255 characters, or holds control characters";
  throw usage(option, problem, "Give 1 to 255 printable characters");
}

function checkRange({ first, last }: ByteRange, sizeBytes: number): void {
  checkWhole("range", first);
  checkWhole("range", last);
  if (first <= last && last < sizeBytes) return;
  const problem = `there are no bytes ${first} to ${last} in a file of ${sizeBytes} bytes`;
  throw usage("range", problem, "Ask for a range within the file");
}
