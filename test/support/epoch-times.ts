import { type FSWatcher, watch } from "node:fs";
import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** More than the longest line of `metrics.csv`. */
const TAIL_BYTES = 512;

/**
 * When the coordinator came to know an epoch's figures: the time at which the row was written that it appends to `metrics.csv` at that
 * moment, by the file system's clock. Another way than the one figures take to the page, so that the two can be compared. Rows that
 * follow each other faster than this process wakes up are left out.
 */
export class EpochTimes implements Disposable {
  /** Epoch → milliseconds since 1970. */
  readonly times = new Map<number, number>();
  readonly #file: string;
  readonly #watcher: FSWatcher;
  #reading: Promise<void> = Promise.resolve();

  /** @param file the run's `metrics.csv`, in a folder that exists */
  constructor(file: string) {
    this.#file = file;
    this.#watcher = watch(dirname(file), () => {
      this.#reading = this.#reading.then(() => this.#readLast());
    });
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }

  async #readLast(): Promise<void> {
    const file = await open(this.#file).catch(() => null);
    if (file === null) return;
    try {
      const { size, mtimeMs } = await file.stat();
      const from = Math.max(0, size - TAIL_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      // Written to meanwhile: the time may be that of another row.
      if ((await stat(this.#file)).mtimeMs !== mtimeMs) return;
      const row = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n").at(-1) ?? "";
      const epoch = Number.parseInt(row, 10);
      if (epoch > 0 && !this.times.has(epoch)) this.times.set(epoch, mtimeMs);
    } finally {
      await file.close();
    }
  }
}
