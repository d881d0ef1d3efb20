import { stat } from "node:fs/promises";
import { dataInvalid, readFailure } from "../../shared/data/data-failure.js";
import { type DataFormat, detectFormat } from "../../shared/data/detect-format.js";
import { requireLabels } from "../../shared/data/labelled-images.js";
import { RingstrasseError } from "../../shared/failure.js";
import { hashFile, hashText } from "./content-hash.js";

/** Where data comes from, as the user named it. */
export interface DataPaths {
  readonly path: string;
  /** Labels of IDX images; null: found by MNIST's naming. */
  readonly labelsPath: string | null;
  /** Rows to test on; null: some of the rows of `path` are held out. */
  readonly testPath: string | null;
  readonly testLabelsPath: string | null;
}

/** One set of rows. */
export interface Source {
  readonly path: string;
  /** Present iff the format is IDX. */
  readonly labelsPath: string | null;
}

/** Sources found, told apart and hashed. */
export interface DataSources {
  readonly format: DataFormat;
  readonly train: Source;
  readonly test: Source | null;
  /** All of them, each once. */
  readonly files: readonly string[];
  /** Over the contents of all files and what each is for; lower-case hex. */
  readonly contentSha256: string;
  /** @throws RingstrasseError DATA_INVALID when a file is another one now than when it was hashed */
  assertUnchanged(): Promise<void>;
}

/** @throws RingstrasseError INPUT_MISSING, DATA_INVALID, CHOICE_UNSUPPORTED, DATA_MISMATCH, USAGE; the signal's reason when aborted */
export async function findSources(paths: DataPaths, signal?: AbortSignal): Promise<DataSources> {
  const { path, labelsPath, testPath, testLabelsPath } = paths;
  if (testPath === null && testLabelsPath !== null) throw labelsAlone(testLabelsPath);
  const format = await detectFormat(path, "--data");
  const train = await sourceOf(path, labelsPath, format);
  let test: Source | null = null;
  if (testPath !== null) {
    assertSameFormat(path, format, testPath, await detectFormat(testPath, "--test-data"));
    test = await sourceOf(testPath, testLabelsPath, format);
  }
  const roles = [
    ["train", train.path],
    ["train labels", train.labelsPath],
    ["test", test?.path],
    ["test labels", test?.labelsPath],
  ];
  const lines: string[] = [];
  const states = new Map<string, string>();
  for (const [role, file] of roles) {
    if (typeof file !== "string") continue;
    states.set(file, await stateOf(file));
    lines.push(`${role} ${await hashFile(file, signal)}`);
  }
  return {
    format,
    train,
    test,
    files: [...states.keys()],
    contentSha256: hashText(lines.join("\n")),
    assertUnchanged: () => assertUnchanged(states),
  };
}

async function sourceOf(path: string, labelsPath: string | null, format: DataFormat): Promise<Source> {
  if (format === "idx") return { path, labelsPath: labelsPath ?? (await requireLabels(path)) };
  if (labelsPath === null) return { path, labelsPath: null };
  const problem = `${labelsPath} can't hold the labels of ${path}, which is a table: a table's labels are one of its columns`;
  const remedy = "Leave --labels out, and name the column with labelIndex";
  throw new RingstrasseError({ code: "USAGE", option: "--labels", problem, remedy });
}

/** Some of the training rows would be held out instead, and taken for the test images. */
function labelsAlone(testLabelsPath: string): RingstrasseError {
  const problem = `${testLabelsPath} would label test images, of which there are none`;
  const remedy = "Give --test-data too, or leave it out";
  return new RingstrasseError({ code: "USAGE", option: "--test-labels", problem, remedy });
}

function assertSameFormat(path: string, format: DataFormat, testPath: string, testFormat: DataFormat): void {
  if (format === testFormat) return;
  const names = { csv: "a table", idx: "IDX images" };
  const problem = `the test data is ${names[testFormat]}, the training data ${path} is ${names[format]}`;
  const remedy = "Give both in the same format";
  throw new RingstrasseError({ code: "DATA_MISMATCH", file: testPath, elementPath: null, problem, remedy });
}

async function assertUnchanged(states: ReadonlyMap<string, string>): Promise<void> {
  for (const [file, before] of states) {
    if ((await stateOf(file)) === before) continue;
    throw dataInvalid({ file }, "the file changed while it was being read", "Start again once nothing writes to it");
  }
}

async function stateOf(file: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(file).catch((cause: unknown) => {
    throw readFailure(file, cause);
  });
  return `${size} ${mtimeMs} ${ino}`;
}
