import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RingstrasseError } from "../../shared/failure.js";
import { isSystemError } from "../../shared/write-failure.js";
import { formatFigure, formatShare } from "../cli/format-figure.js";
import { type RunResult, RunResultSchema } from "../output/write-result.js";
import { type MemberSettings, SWEEP_FILE, SweepRecordSchema } from "./sweep.js";

/** One run of a sweep. */
export interface SweepMember {
  /** Names its folder, and its task of the job array. */
  readonly index: number;
  readonly settings: MemberSettings;
  /** Null: it has not finished. */
  readonly result: Pick<
    RunResult,
    "epochs" | "trainLoss" | "testLoss" | "testAccuracy" | "weightsSha256" | "modelDir"
  > | null;
}

export interface SweepSummary {
  readonly document: string;
  readonly members: readonly SweepMember[];
  /** Of the member that tests best; null: none has finished with a test. */
  readonly best: number | null;
}

/** What the runs of a sweep's folder have come to. @throws RingstrasseError INPUT_MISSING, DATA_INVALID */
export async function readSweep(folder: string): Promise<SweepSummary> {
  const file = join(folder, SWEEP_FILE);
  const text = await textOf(file);
  if (text === null) {
    const remedy = "Name the folder that submit slurm --sweep has written (its --out)";
    throw new RingstrasseError({ code: "INPUT_MISSING", file, problem: "it is not there", remedy });
  }
  const record = SweepRecordSchema.parse(parsed(file, text));
  const members: SweepMember[] = [];
  for (const [index, settings] of record.members.entries()) {
    const resultFile = join(folder, String(index), "result.json");
    const found = await textOf(resultFile);
    members.push({
      index,
      settings,
      result: found === null ? null : figuresOf(RunResultSchema.parse(parsed(resultFile, found))),
    });
  }
  return { document: record.document, members, best: bestOf(members) };
}

function figuresOf({
  epochs,
  trainLoss,
  testLoss,
  testAccuracy,
  weightsSha256,
  modelDir,
}: RunResult): SweepMember["result"] {
  return { epochs, trainLoss, testLoss, testAccuracy, weightsSha256, modelDir };
}

/** Highest accuracy, then lowest loss, of the tests; the first of equals. Pure. */
export function bestOf(members: readonly SweepMember[]): number | null {
  const tested = members.flatMap(({ index, result }) =>
    result === null || result.testLoss === null
      ? []
      : [{ index, loss: result.testLoss, accuracy: result.testAccuracy ?? 0 }],
  );
  tested.sort((one, other) => other.accuracy - one.accuracy || one.loss - other.loss || one.index - other.index);
  return tested[0]?.index ?? null;
}

/** Head and rows of a table for people. Pure. */
export function sweepRows({ members, best }: SweepSummary): { readonly head: string[]; readonly rows: string[][] } {
  const names = Object.keys(members[0]?.settings ?? {});
  const head = ["", ...names, "epochs", "training loss", "test loss", "test accuracy", "weights SHA-256"];
  const rows = members.map(({ index, settings, result }) => [
    `${index}${index === best ? " best" : ""}`,
    ...names.map((name) => settings[name] ?? ""),
    ...(result === null
      ? ["not finished", "", "", "", ""]
      : [
          String(result.epochs),
          formatFigure(result.trainLoss),
          result.testLoss === null ? "" : formatFigure(result.testLoss),
          result.testAccuracy === null ? "" : formatShare(result.testAccuracy),
          result.weightsSha256.slice(0, 12),
        ]),
  ]);
  return { head, rows };
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const problem = `it is not JSON (${cause instanceof Error ? cause.message : String(cause)})`;
    const remedy = "Have the run write it again, or remove it";
    throw new RingstrasseError({ code: "DATA_INVALID", file, row: null, column: null, problem, remedy }, { cause });
  }
}

/** Null: there is no such file. */
async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (isSystemError(cause) && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) return null;
    if (!isSystemError(cause)) throw cause;
    throw new RingstrasseError(
      { code: "INPUT_MISSING", file, problem: `it can't be read (${cause.code})`, remedy: "Check its permissions" },
      { cause },
    );
  }
}
