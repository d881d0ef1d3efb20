import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import { isSystemError } from "../../shared/write-failure.js";

/** A log of block hashes, and up to where it is wanted. */
export interface EarlierLog {
  readonly path: string;
  /** Epochs that are over, and steps that are done. */
  readonly epochs: number;
  readonly steps: number;
}

/** What tells an entry's place; the rest is copied as it stands. */
const PlaceSchema = z.object({
  kind: z.enum(["header", "epoch", "step"]),
  epoch: z.number().optional(),
  step: z.number().optional(),
});

/**
 * Copies the entries of a log up to a place, line by line.
 * @param append is given each line without its end, in order
 * @returns whether all epochs up to there are in the log; false too where there is no log
 */
export async function copyHashEntries(
  { path, epochs, steps }: EarlierLog,
  append: (line: string) => Promise<void>,
): Promise<boolean> {
  let found = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      const place = placeOf(line);
      if (place === null || place.kind === "header") continue;
      const { kind, epoch = 0, step = 0 } = place;
      if (kind === "epoch" ? epoch > epochs : step > steps) continue;
      if (kind === "epoch") found += 1;
      await append(line);
    }
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return false;
    throw cause;
  }
  // The initial parameters are epoch 0.
  return found === epochs + 1;
}

/** Null: not a whole line, which is what a run that was killed may leave at the end. */
function placeOf(line: string): z.infer<typeof PlaceSchema> | null {
  try {
    return PlaceSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
