import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

const FLUSH_BYTES = 256 * 1024;

/** What a finished file is recognised by. */
export interface FileFacts {
  readonly rowCount: number;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * Writes a row file front to back (layout: RowFileSpec; little-endian, as every machine that Node runs on here is). Rows are appended
 * to memory; `drain` now and then brings it to the disk. One writer, one caller at a time.
 */
export class RowFileWriter implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #buffer: Buffer = Buffer.allocUnsafe(2 * FLUSH_BYTES);
  #used = 0;
  #sizeBytes = 0;
  #rows = 0;
  #closed = false;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Creates the file. @throws system errors; EEXIST too */
  static async create(path: string): Promise<RowFileWriter> {
    return new RowFileWriter(await open(path, "wx"));
  }

  /** @param values the row but for its class: features, and real-valued targets @param classNumber null: the row has none */
  append(values: Uint8Array, classNumber: number | null): void {
    const size = values.byteLength + 4;
    if (this.#used + size > this.#buffer.byteLength) this.#grow(size);
    this.#buffer.set(values, this.#used);
    this.#used += values.byteLength;
    if (classNumber !== null) this.#used = this.#buffer.writeUInt32LE(classNumber, this.#used);
    this.#rows++;
  }

  /** Writes what has been appended, if it is worth a call. @throws system errors */
  async drain(): Promise<void> {
    if (this.#used >= FLUSH_BYTES) await this.#flush();
  }

  /** Writes the rest and returns when the device has it. @throws system errors */
  async finish(): Promise<FileFacts> {
    await this.#flush();
    await this.#file.sync();
    await this[Symbol.asyncDispose]();
    return { rowCount: this.#rows, sizeBytes: this.#sizeBytes, sha256: this.#hash.digest("hex") };
  }

  /** Closes the file; an unfinished one stays as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#used);
    // Writes everything or throws, unlike write().
    await this.#file.writeFile(bytes);
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.byteLength;
    this.#used = 0;
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafe(2 * (this.#buffer.byteLength + size));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
  }
}
