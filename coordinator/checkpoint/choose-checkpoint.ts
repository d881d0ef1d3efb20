import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { RingstrasseError, toFailure } from "../../shared/failure.js";
import { isSystemError, writeFailure } from "../../shared/write-failure.js";
import { CHECKPOINTS_FOLDER, stepOfFileName } from "./checkpoint-format.js";
import { SavedCheckpoint } from "./saved-checkpoint.js";

/** Goes on where there is something to go on from, else starts. */
export const RESUME_AUTO = "auto";

export interface CheckpointWish {
  /** A run's output directory, its checkpoints folder, one checkpoint; or {@link RESUME_AUTO}. */
  readonly resume: string;
  /** The output directory that was asked for; null: none. */
  readonly out: string | null;
  /** Told of each checkpoint that is passed over, and why. */
  readonly warn: (message: string) => void;
}

/**
 * The newest sound checkpoint of those that were meant: where one can't be used, the one before it is, and that is said.
 * @returns null: `auto`, and there is none
 * @throws RingstrasseError USAGE, INPUT_MISSING; CHECKPOINT_UNUSABLE naming all that were looked at, each of them damaged;
 * CHECKPOINT_UNREADABLE when one of them, or their folder, may be sound
 */
export async function chooseCheckpoint({ resume, out, warn }: CheckpointWish): Promise<SavedCheckpoint | null> {
  const isAuto = resume === RESUME_AUTO;
  const place = isAuto ? outOf(out) : resume;
  const candidates = await candidatesAt(place, isAuto);
  if (candidates.length === 0) {
    if (isAuto) return null;
    const remedy = "Name a run's output directory or one of its checkpoints, or start the job anew without --resume";
    throw unusable(place, "there is no checkpoint in it", remedy);
  }
  const refused: string[] = [];
  let isAnyUnread = false;
  for (const path of candidates) {
    try {
      const checkpoint = await SavedCheckpoint.open(path);
      for (const reason of refused) warn(`checkpoint not used: ${reason}`);
      return checkpoint;
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (failure.code !== "CHECKPOINT_UNUSABLE" && failure.code !== "CHECKPOINT_UNREADABLE") throw thrown;
      isAnyUnread ||= failure.code === "CHECKPOINT_UNREADABLE";
      refused.push(`${failure.path}: ${failure.problem}`);
    }
  }
  const problem = `no checkpoint can be used: ${refused.join("; ")}`;
  throw isAnyUnread ? unreadable(place, problem) : unusable(place, problem, "Start the job anew without --resume");
}

/** The output directory that a checkpoint was written to; null: it lies elsewhere now. Pure. */
export function runDirectoryOf({ path }: SavedCheckpoint): string | null {
  const folder = dirname(resolve(path));
  return basename(folder) === CHECKPOINTS_FOLDER ? dirname(folder) : null;
}

/**
 * Whether a checkpoint is one of those in an output directory, by whatever name either is called.
 * @throws RingstrasseError OUTPUT_UNWRITABLE when the directory can't be looked at
 */
export async function liesIn({ path }: SavedCheckpoint, out: string): Promise<boolean> {
  const folder = join(out, CHECKPOINTS_FOLDER);
  try {
    return (await realpath(folder)) === (await realpath(dirname(path)));
  } catch (cause) {
    if (isSystemError(cause) && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) return false;
    throw writeFailure(folder, cause);
  }
}

function outOf(out: string | null): string {
  if (out !== null) return out;
  const problem = "auto looks for checkpoints in the output directory, and none is named";
  throw new RingstrasseError({ code: "USAGE", option: "--resume", problem, remedy: "Give --out DIR too" });
}

/** Newest first. */
async function candidatesAt(place: string, mayBeMissing: boolean): Promise<string[]> {
  const kind = await kindOf(place);
  if (kind === "file") return await upTo(place);
  if (kind === "missing") {
    if (mayBeMissing) return [];
    const remedy = "Name a run's output directory, or one of the checkpoints in it";
    throw new RingstrasseError({ code: "INPUT_MISSING", file: place, problem: "it is not there", remedy });
  }
  const folder = join(place, CHECKPOINTS_FOLDER);
  return await checkpointsIn((await kindOf(folder)) === "directory" ? folder : place);
}

/** A checkpoint, and those before it. */
async function upTo(path: string): Promise<string[]> {
  const step = stepOfFileName(basename(path));
  if (step === null) return [path];
  const beside = await checkpointsIn(dirname(path));
  return beside.filter((other) => (stepOfFileName(basename(other)) ?? 0) <= step);
}

async function checkpointsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw isSystemError(cause) ? unreadable(folder, `it can't be read (${cause.code})`) : cause;
  });
  return names
    .map((name) => ({ name, step: stepOfFileName(name) }))
    .flatMap(({ name, step }) => (step === null ? [] : [{ name, step }]))
    .sort((a, b) => b.step - a.step)
    .map(({ name }) => join(folder, name));
}

async function kindOf(path: string): Promise<"file" | "directory" | "missing"> {
  try {
    return (await stat(path)).isDirectory() ? "directory" : "file";
  } catch (cause) {
    if (isSystemError(cause) && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) return "missing";
    throw isSystemError(cause) ? unreadable(path, `it can't be looked at (${cause.code})`) : cause;
  }
}

function unusable(path: string, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "CHECKPOINT_UNUSABLE", path, problem, remedy });
}

function unreadable(path: string, problem: string): RingstrasseError {
  const remedy = "Check its permissions and its device, use the version that wrote it, or start the job anew";
  return new RingstrasseError({ code: "CHECKPOINT_UNREADABLE", path, problem, remedy: `${remedy} without --resume` });
}
