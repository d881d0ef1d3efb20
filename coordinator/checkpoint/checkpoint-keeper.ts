import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createDirectory } from "../../shared/create-directory.js";
import { deferred } from "../../shared/deferred.js";
import { describeFailure } from "../../shared/describe-failure.js";
import { RingstrasseError, toFailure } from "../../shared/failure.js";
import type { TrainEvent } from "../../shared/train-events.js";
import { writeFailure } from "../../shared/write-failure.js";
import type {
  BeginningState,
  CheckpointMissed,
  CheckpointOpening,
  CheckpointPiece,
  CheckpointStore,
  PieceOutcome,
} from "../group/checkpoint-store.js";
import { CheckpointFile } from "./checkpoint-file.js";
import {
  abandonedCheckpoints,
  abandonedFileName,
  CHECKPOINTS_FOLDER,
  type CheckpointDescription,
  checkpointFileName,
  isUnfinishedCheckpoint,
  surplusCheckpoints,
} from "./checkpoint-format.js";
import type { CheckpointSettings } from "./checkpoint-settings.js";
import type { SavedCheckpoint } from "./saved-checkpoint.js";

/** All of a checkpoint's description that is not about its state. */
export type RunDescription = Omit<CheckpointDescription, "position" | "stateSha256">;

export interface CheckpointKeeperOptions {
  readonly settings: CheckpointSettings;
  /** That the run begins with; stays the caller's. Null: it begins at its beginning. */
  readonly beginning: SavedCheckpoint | null;
  /** What those who see the run are told of its path; null: there is none. */
  readonly beginningFile: string | null;
  /** The output directory, and as those who see the run are told of it. */
  readonly out: string;
  readonly shownOut: string;
  /** The run as it is described once the step that is kept, and all before it, have been told. */
  readonly describe: () => RunDescription;
  /** Resolves when the records of all that was told are written. */
  readonly recorded: () => Promise<void>;
  readonly emit: (event: TrainEvent) => void;
}

/** A checkpoint on its way. */
interface Incoming {
  readonly opening: CheckpointOpening;
  readonly path: string;
  readonly startedAt: number;
  receivedBytes: number;
  file: CheckpointFile | null;
  /** Told already; what still comes is let go. */
  failed: boolean;
}

/**
 * Keeps the checkpoints of a run: writes each as it arrives, with no more of it in memory than a few pieces, and removes those that are
 * too many. A checkpoint that can't be written is told in a warning, each time, and the training goes on; the ones before it stay.
 */
export class CheckpointKeeper implements CheckpointStore, AsyncDisposable {
  readonly beginning: BeginningState | null;
  readonly #options: CheckpointKeeperOptions;
  readonly #folder: string;
  #incoming: Incoming | null = null;
  #writing: Promise<unknown> = Promise.resolve();
  #toldStep: number;
  #awaited: { readonly step: number; resolve(): void; reject(reason: unknown): void } | null = null;
  #closed = false;
  /** Whether this run has written one. */
  #hasKept = false;

  constructor(options: CheckpointKeeperOptions) {
    const { beginning } = options;
    this.#options = options;
    this.#folder = join(options.out, CHECKPOINTS_FOLDER);
    this.#toldStep = beginning?.description.position.step ?? 0;
    this.beginning =
      beginning === null
        ? null
        : {
            position: beginning.description.position,
            totalBytes: beginning.stateBytes,
            stateSha256: beginning.description.stateSha256,
          };
  }

  get plan(): CheckpointSettings["plan"] {
    return this.#options.settings.plan;
  }

  /** The output directory; as long as this run has kept nothing, the checkpoint that it began with, which needn't be the newest there. */
  get resumeFrom(): string | null {
    return this.#hasKept ? this.#options.shownOut : this.#options.beginningFile;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const { beginning } = this.#options;
    if (beginning === null) throw new RangeError("the run begins at its beginning");
    return await beginning.read(offsetBytes, lengthBytes);
  }

  opened(opening: CheckpointOpening): void {
    if (this.#incoming !== null) throw violation("a checkpoint begins in the middle of another");
    const path = join(this.#folder, checkpointFileName(opening.position.step));
    const startedAt = performance.now();
    const incoming: Incoming = { opening, path, startedAt, receivedBytes: 0, file: null, failed: false };
    this.#incoming = incoming;
    void this.#inTurn(incoming, async () => {
      await prepareFolder(this.#folder);
      incoming.file = await CheckpointFile.create(path, opening.totalBytes);
    });
  }

  async piece({ offsetBytes, bytes }: CheckpointPiece): Promise<PieceOutcome> {
    const incoming = this.#incoming;
    if (incoming === null) throw violation("a piece of no checkpoint");
    const { totalBytes, asked } = incoming.opening;
    const end = offsetBytes + bytes.byteLength;
    if (offsetBytes !== incoming.receivedBytes || end > totalBytes)
      throw violation(
        `a piece of a checkpoint at byte ${offsetBytes} of ${totalBytes}, expected ${incoming.receivedBytes}`,
      );
    incoming.receivedBytes = end;
    const isLast = end === totalBytes;
    if (isLast) this.#incoming = null;
    await this.#inTurn(incoming, async (file) => {
      await file?.append(bytes);
      if (isLast && file !== null) await this.#finish(incoming, file);
    });
    return isLast ? { kind: "over", asked, kept: !incoming.failed } : { kind: "more" };
  }

  missed({ epoch, step, problem }: CheckpointMissed): void {
    this.#warnMissed(epoch, step, problem);
  }

  stepTold(step: number): void {
    this.#toldStep = step;
    if (this.#awaited !== null && this.#awaited.step <= step) this.#awaited.resolve();
  }

  /** Gives up what is on its way; waits for what is being written. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#awaited?.reject(new Closed());
    await this.#writing;
    await this.#incoming?.file?.abandon();
  }

  /** One after the other. A failure is told, and is the end of this checkpoint alone. */
  #inTurn(incoming: Incoming, work: (file: CheckpointFile | null) => Promise<void>): Promise<void> {
    const turn = this.#writing.then(async () => {
      if (incoming.failed) return;
      try {
        await work(incoming.file);
      } catch (thrown) {
        incoming.failed = true;
        await incoming.file?.abandon();
        if (thrown instanceof Closed) return;
        const { epoch, step } = incoming.opening.position;
        this.#warnMissed(epoch, step, describeFailure(toFailure(writeFailure(this.#folder, thrown))));
      }
    });
    this.#writing = turn;
    return turn;
  }

  async #finish({ opening, path, startedAt }: Incoming, file: CheckpointFile): Promise<void> {
    const { describe, recorded, settings, shownOut, emit } = this.#options;
    const { position } = opening;
    await this.#told(position.step);
    await recorded();
    const { sizeBytes, stateSha256 } = await file.finish((hash) => ({
      ...upTo(describe(), position.epoch - (position.progress === null ? 0 : 1)),
      position,
      stateSha256: hash,
    }));
    const isFirst = !this.#hasKept;
    this.#hasKept = true;
    emit({
      event: "checkpoint",
      epoch: position.epoch,
      step: position.step,
      endsEpoch: position.progress === null,
      file: join(shownOut, CHECKPOINTS_FOLDER, checkpointFileName(position.step)),
      sizeBytes,
      tookMs: performance.now() - startedAt,
      stateSha256,
    });
    if (isFirst) await this.#abandonBeyondBeginning(position.step);
    await removeSurplus(this.#folder, position.step, settings.keep).catch((cause: unknown) => {
      // The new one is kept all the same.
      const message = `older checkpoints than ${path} can't be removed: ${describeFailure(toFailure(cause))}`;
      emit({ event: "warning", message });
    });
  }

  /**
   * Checkpoints beyond the one that this run began with are of another way, which was gone before this one. Whoever looks for the newest must not
   * find them once this run has one of its own: what it has done would be lost.
   */
  async #abandonBeyondBeginning(keptStep: number): Promise<void> {
    const { beginning, emit } = this.#options;
    if (beginning === null) return;
    const from = beginning.description.position.step;
    try {
      const abandoned = abandonedCheckpoints(await readdir(this.#folder), from, keptStep);
      for (const name of abandoned) await rename(join(this.#folder, name), join(this.#folder, abandonedFileName(name)));
      if (abandoned.length === 0) return;
      const names = abandoned.map(abandonedFileName).sort().join(", ");
      emit({ event: "warning", message: `the run went back to step ${from}; what lay beyond is put aside: ${names}` });
    } catch (cause) {
      const failure = toFailure(writeFailure(this.#folder, cause));
      const problem = `what lies beyond step ${from}, to which the run went back, can't be put aside, and is taken for newer`;
      emit({ event: "warning", message: `${problem}: ${describeFailure(failure)}` });
    }
  }

  async #told(step: number): Promise<void> {
    if (this.#closed) throw new Closed();
    if (this.#toldStep >= step) return;
    const { promise, resolve, reject } = deferred<void>();
    this.#awaited = { step, resolve, reject };
    await promise;
    this.#awaited = null;
  }

  #warnMissed(epoch: number, step: number, problem: string): void {
    const message = `no checkpoint at epoch ${epoch}, step ${step}: ${problem}`;
    this.#options.emit({ event: "warning", message });
  }
}

/** The run is over before a checkpoint was whole. */
class Closed extends Error {}

/** Epochs that ended after the position are none of its. */
function upTo(run: RunDescription, epochs: number): RunDescription {
  return { ...run, history: run.history.filter(({ epoch }) => epoch <= epochs) };
}

/** Makes the folder, and removes what a run left in it that was killed. @throws system errors */
async function prepareFolder(folder: string): Promise<void> {
  await createDirectory(folder);
  const names = await readdir(folder);
  await Promise.all(names.filter(isUnfinishedCheckpoint).map((name) => rm(join(folder, name), { force: true })));
}

async function removeSurplus(folder: string, step: number, keep: number): Promise<void> {
  try {
    const surplus = surplusCheckpoints(await readdir(folder), step, keep);
    await Promise.all(surplus.map((name) => rm(join(folder, name), { force: true })));
  } catch (cause) {
    throw writeFailure(folder, cause);
  }
}

function violation(problem: string): RingstrasseError {
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: "worker rank 0", problem: `it sent ${problem}` });
}
