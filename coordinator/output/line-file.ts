import { type FileHandle, open } from "node:fs/promises";
import { writeFailure } from "../../shared/write-failure.js";

/**
 * A text file that only ever grows by whole lines: a line that could not be written to its end is taken back. Calls may
 * overlap; lines keep their order. After a failed write every later call fails alike.
 */
export class LineFile implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  #lengthBytes = 0;
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Starts the file anew. @throws RingstrasseError OUTPUT_UNWRITABLE */
  static async create(path: string): Promise<LineFile> {
    try {
      return new LineFile(path, await open(path, "w"));
    } catch (cause) {
      throw writeFailure(path, cause);
    }
  }

  /** @param line without its end, on one line. @throws RingstrasseError OUTPUT_UNWRITABLE */
  append(line: string): Promise<void> {
    this.#last = this.#last.then(() => this.#write(Buffer.from(`${line}\n`, "utf8")));
    return this.#last;
  }

  /** Waits for the lines under way. Errors have been thrown by {@link append} already. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last.catch(() => undefined);
    await this.#file.close();
  }

  async #write(line: Buffer): Promise<void> {
    try {
      for (let done = 0; done < line.byteLength; ) {
        const { bytesWritten } = await this.#file.write(line, done, line.byteLength - done, this.#lengthBytes + done);
        done += bytesWritten;
      }
      this.#lengthBytes += line.byteLength;
    } catch (cause) {
      // Where even this fails, the first error still says why; readers leave out a last line without an end.
      await this.#file.truncate(this.#lengthBytes).catch(() => undefined);
      throw writeFailure(this.#path, cause);
    }
  }
}
