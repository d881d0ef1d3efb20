import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createDirectory } from "../../shared/create-directory.js";
import { syncDirectory } from "../../shared/durable-file.js";
import { isSystemError, writeFailure } from "../../shared/write-failure.js";

/** A content that has arrived whole and is on disk, but has no place yet. */
export interface ArrivedContent {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

const SHA256 = /^[0-9a-f]{64}$/;
const SHELF = /^[0-9a-f]{2}$/;

/**
 * Contents on disk, each a file named by its SHA-256: `files/<first two digits>/<sha256>`. What is still arriving lies in
 * `incoming/`. A file under `files/` is always whole: it comes there by a rename, after its bytes have reached the device.
 * Which of them are wanted, others know. {@link keep} and {@link remove} of one content must not overlap.
 */
export class ContentDirectory {
  readonly #files: string;
  readonly #incoming: string;

  private constructor(files: string, incoming: string) {
    this.#files = files;
    this.#incoming = incoming;
  }

  /** Creates the directories, and removes what was arriving when the last server ended. @throws RingstrasseError OUTPUT_UNWRITABLE */
  static async open(directory: string): Promise<ContentDirectory> {
    const [files, incoming] = [join(directory, "files"), join(directory, "incoming")];
    try {
      await createDirectory(files);
      await rm(incoming, { recursive: true, force: true });
      await createDirectory(incoming);
      await syncDirectory(directory);
    } catch (cause) {
      throw writeFailure(directory, cause);
    }
    return new ContentDirectory(files, incoming);
  }

  path(sha256: string): string {
    return join(this.#files, sha256.slice(0, 2), sha256);
  }

  /**
   * Writes pieces to disk as they come; memory stays flat. `admit` is told of each piece before it is written, and may throw.
   * When it or the source fails, nothing is left. The caller ends with {@link discard}. @throws RingstrasseError OUTPUT_UNWRITABLE; what `pieces` and `admit` throw
   */
  async receive(pieces: AsyncIterable<Uint8Array>, admit: (sizeBytes: number) => void): Promise<ArrivedContent> {
    const path = join(this.#incoming, randomBytes(12).toString("hex"));
    const hash = createHash("sha256");
    let sizeBytes = 0;
    try {
      const file = await this.#writing(path, () => open(path, "wx"));
      try {
        for await (const piece of pieces) {
          admit(piece.byteLength);
          hash.update(piece);
          sizeBytes += piece.byteLength;
          await this.#writing(path, () => writeWhole(file, piece));
        }
        await this.#writing(path, () => file.sync());
      } finally {
        await file.close();
      }
    } catch (cause) {
      await rm(path, { force: true });
      throw cause;
    }
    return { path, sha256: hash.digest("hex"), sizeBytes };
  }

  /** Removes a content that gets no place; nothing happens when it has one. */
  async discard({ path }: ArrivedContent): Promise<void> {
    await rm(path, { force: true });
  }

  /** Gives a content its place, where it then is for certain; one that is there already stays. @throws RingstrasseError OUTPUT_UNWRITABLE */
  async keep({ path, sha256, sizeBytes }: ArrivedContent): Promise<void> {
    const place = this.path(sha256);
    await this.#writing(place, async () => {
      if ((await sizeOf(place)) === sizeBytes) return;
      const shelf = join(this.#files, sha256.slice(0, 2));
      await mkdir(shelf).then(
        () => syncDirectory(this.#files),
        (cause: unknown) => {
          if (!isSystemError(cause) || cause.code !== "EEXIST") throw cause;
        },
      );
      await rename(path, place);
      await syncDirectory(shelf);
    });
  }

  async remove(sha256: string): Promise<void> {
    const place = this.path(sha256);
    await this.#writing(place, () => rm(place, { force: true }));
  }

  /** Its size in bytes on disk; null: it is not there. */
  size(sha256: string): Promise<number | null> {
    return sizeOf(this.path(sha256));
  }

  /** The SHA-256 of every content on disk. */
  async *all(): AsyncGenerator<string, void, void> {
    for (const shelf of await readdir(this.#files)) {
      if (!SHELF.test(shelf)) continue;
      for (const name of await readdir(join(this.#files, shelf))) {
        if (SHA256.test(name) && name.startsWith(shelf)) yield name;
      }
    }
  }

  async #writing<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw writeFailure(path, cause);
    }
  }
}

/** One write may take less than it was given. */
async function writeWhole(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let from = 0; from < piece.byteLength; ) from += (await file.write(piece, from)).bytesWritten;
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return null;
    throw cause;
  }
}
