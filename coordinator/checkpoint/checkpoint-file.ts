import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory, unfinishedSibling } from "../../shared/durable-file.js";
import { writeFailure } from "../../shared/write-failure.js";
import { type CheckpointDescription, encodePrologue } from "./checkpoint-format.js";

/** Nothing of a checkpoint is written in smaller pieces, but for its end. */
const FLUSH_BYTES = 1 << 20;

/**
 * A checkpoint that is being written, under another name until it is whole: written, synced, renamed, its directory synced. So a file
 * that bears a checkpoint's name is on the device from its first byte to its last. Calls come one after the other.
 */
export class CheckpointFile {
  readonly #path: string;
  readonly #unfinished: string;
  readonly #file: FileHandle;
  readonly #all = createHash("sha256");
  readonly #state = createHash("sha256");
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #sizeBytes = 0;

  private constructor(path: string, unfinished: string, file: FileHandle) {
    this.#path = path;
    this.#unfinished = unfinished;
    this.#file = file;
  }

  /** @throws RingstrasseError OUTPUT_UNWRITABLE */
  static async create(path: string, stateBytes: number): Promise<CheckpointFile> {
    const unfinished = unfinishedSibling(path);
    try {
      const checkpoint = new CheckpointFile(path, unfinished, await open(unfinished, "wx"));
      await checkpoint.#append(encodePrologue(stateBytes));
      return checkpoint;
    } catch (cause) {
      throw writeFailure(path, cause);
    }
  }

  /** The next piece of the state; this object's from now on. @throws RingstrasseError OUTPUT_UNWRITABLE */
  async append(piece: Uint8Array): Promise<void> {
    this.#state.update(piece);
    try {
      await this.#append(piece);
    } catch (cause) {
      throw writeFailure(this.#path, cause);
    }
  }

  /**
   * Ends the file and gives it its name; nothing else may be called afterwards.
   * @throws RingstrasseError OUTPUT_UNWRITABLE; then there is {@link abandon}
   */
  async finish(
    describe: (stateSha256: string) => CheckpointDescription,
  ): Promise<{ readonly sizeBytes: number; readonly stateSha256: string }> {
    const stateSha256 = this.#state.digest("hex");
    const description = Buffer.from(JSON.stringify(describe(stateSha256)), "utf8");
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(description.byteLength));
    try {
      await this.#append(description);
      await this.#append(length);
      await this.#append(this.#all.copy().digest());
      await this.#flush();
      await this.#file.sync();
      await this.#file.close();
      await rename(this.#unfinished, this.#path);
      await syncDirectory(dirname(this.#path));
    } catch (cause) {
      throw writeFailure(this.#path, cause);
    }
    return { sizeBytes: this.#sizeBytes, stateSha256 };
  }

  /** Leaves nothing behind, as far as that can be had. */
  async abandon(): Promise<void> {
    // Whoever abandons it knows why already.
    await this.#file.close().catch(() => undefined);
    await rm(this.#unfinished, { force: true }).catch(() => undefined);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#all.update(bytes);
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.byteLength;
    if (this.#pendingBytes >= FLUSH_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.byteLength - done, this.#sizeBytes);
      done += bytesWritten;
      this.#sizeBytes += bytesWritten;
    }
  }
}
