import { rename, rm } from "node:fs/promises";
import type { EpochBlockHashes, ReplicaBlockHashes } from "../../shared/block-hash.js";
import { unfinishedSibling } from "../../shared/durable-file.js";
import { writeFailure } from "../../shared/write-failure.js";
import { copyHashEntries, type EarlierLog } from "./copy-hash-entries.js";
import {
  compareEntryPlaces,
  type EpochEntry,
  HASH_LOG_VERSION,
  type HashLogEntry,
  type HashLogHeader,
  type StepEntry,
} from "./hash-log-format.js";
import { LineFile } from "./line-file.js";

/**
 * `hashes.jsonl`: a header, then the block hashes of every epoch and, when steps are traced, of every step. Workers report
 * their own replicas, each in its own time; a step is written once all replicas and the parameters are there, and entries
 * are written in order. What never became complete (the run ended first) is left out.
 */
export class BlockHashLog implements AsyncDisposable {
  readonly #lines: LineFile;
  readonly #replicas: number;
  /** Steps that some replicas are still missing of; no more than workers can be apart: two or three. */
  readonly #open = new Map<string, ReplicaBlockHashes>();
  #waiting: HashLogEntry[] = [];

  private constructor(lines: LineFile, replicas: number) {
    this.#lines = lines;
    this.#replicas = replicas;
  }

  /** Starts the file anew, with its header. @throws RingstrasseError OUTPUT_UNWRITABLE */
  static async create(path: string, header: Omit<HashLogHeader, "kind" | "formatVersion">): Promise<BlockHashLog> {
    const lines = await LineFile.create(path);
    await lines.append(JSON.stringify(headerLine(header)));
    return new BlockHashLog(lines, header.replicas);
  }

  /**
   * Starts the file anew with the entries of an earlier log, which may be the same file, up to where its run is gone on from.
   * @throws RingstrasseError OUTPUT_UNWRITABLE, INPUT_MISSING
   */
  static async goOn(
    path: string,
    header: Omit<HashLogHeader, "kind" | "formatVersion">,
    from: EarlierLog,
  ): Promise<{ readonly log: BlockHashLog; readonly isWhole: boolean }> {
    const unfinished = unfinishedSibling(path);
    const lines = await LineFile.create(unfinished);
    try {
      await lines.append(JSON.stringify(headerLine(header)));
      const isWhole = await copyHashEntries(from, (line) => lines.append(line));
      // The open file keeps its place under its new name.
      await rename(unfinished, path).catch((cause: unknown) => {
        throw writeFailure(path, cause);
      });
      return { log: new BlockHashLog(lines, header.replicas), isWhole };
    } catch (thrown) {
      await lines[Symbol.asyncDispose]();
      await rm(unfinished, { force: true });
      throw thrown;
    }
  }

  /** @throws RingstrasseError OUTPUT_UNWRITABLE */
  async addEpoch(hashes: EpochBlockHashes): Promise<void> {
    const { epoch, step, parameters, state } = hashes;
    const entry: EpochEntry = { kind: "epoch", epoch, step, parameters, state };
    this.#waiting.push(entry);
    await this.#flush();
  }

  /** What one worker says of one step. @throws RingstrasseError OUTPUT_UNWRITABLE */
  async addReplicas(hashes: ReplicaBlockHashes): Promise<void> {
    const key = `${hashes.epoch}/${hashes.step}`;
    const merged = merge(this.#open.get(key), hashes);
    if (merged.replicas.length < this.#replicas || merged.parameters === null) {
      this.#open.set(key, merged);
      return;
    }
    this.#open.delete(key);
    const { epoch, step, replicas, parameters } = merged;
    const entry: StepEntry = { kind: "step", epoch, step, replicas: [...replicas].sort(byReplica), parameters };
    this.#waiting.push(entry);
    await this.#flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lines[Symbol.asyncDispose]();
  }

  async #flush(): Promise<void> {
    const open = [...this.#open.values()].map((step) => ({ kind: "step" as const, ...step }));
    const ready = this.#waiting.filter((entry) => open.every((other) => compareEntryPlaces(entry, other) < 0));
    this.#waiting = this.#waiting.filter((entry) => !ready.includes(entry));
    ready.sort(compareEntryPlaces);
    await Promise.all(ready.map((entry) => this.#lines.append(JSON.stringify(entry))));
  }
}

function headerLine(header: Omit<HashLogHeader, "kind" | "formatVersion">): HashLogHeader {
  return { kind: "header", formatVersion: HASH_LOG_VERSION, ...header };
}

function merge(known: ReplicaBlockHashes | undefined, more: ReplicaBlockHashes): ReplicaBlockHashes {
  if (known === undefined) return more;
  return {
    ...known,
    replicas: [...known.replicas, ...more.replicas],
    parameters: known.parameters ?? more.parameters,
  };
}

function byReplica(a: { readonly replica: number }, b: { readonly replica: number }): number {
  return a.replica - b.replica;
}
