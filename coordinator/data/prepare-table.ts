import { rm } from "node:fs/promises";
import { join } from "node:path";
import { className } from "../../shared/data/class-label.js";
import { quoted } from "../../shared/data/csv-number.js";
import { dataInvalid } from "../../shared/data/data-failure.js";
import type { RowFileSpec } from "../../shared/data/dataset-spec.js";
import { refuseOtherFeatures } from "../../shared/data/feature-names.js";
import type { TableLayout } from "../../shared/data/table-layout.js";
import { LabelCollector } from "./class-labels.js";
import { ColumnStatistics } from "./column-statistics.js";
import type { DataSources } from "./data-sources.js";
import type { PreparedRows } from "./dataset-cache.js";
import { assertClassCount, type NetworkShape, tooManyClasses } from "./dataset-fit.js";
import { ROW_FILES, writeSplit } from "./distribute-rows.js";
import { chooseHeldOut, type SplitRequest } from "./held-out.js";
import { type EncodeLabel, type ReadTable, readTable } from "./read-table.js";
import { type FileFacts, RowFileWriter } from "./row-file-writer.js";
import { readPieces } from "./row-pieces.js";

interface StagedTable extends ReadTable {
  readonly path: string;
  readonly rowCount: number;
  /** Null for real-valued targets. */
  readonly classes: { readonly names: string[]; readonly labels: Uint32Array } | null;
}

/**
 * Prepares a CSV file: parsed once into a file of all rows, which then is distributed over training and test rows, since the split
 * needs the number of rows of each class. The means and deviations are those of the training rows, as float32 knows them.
 * @throws as prepareDataset
 */
export async function prepareTable(
  request: NetworkShape & SplitRequest,
  sources: DataSources,
  folder: string,
): Promise<PreparedRows> {
  const { train, test, contentSha256 } = sources;
  const staged = await stageTable(train.path, request, join(folder, "all.rows"), request.signal);
  const { layout, classes, rowCount, featureNames } = staged;
  if (classes !== null) assertClassCount(classes.names, request, train.path, labelOfFirstAlone(classes));
  const { heldOut, warnings } = chooseHeldOut({
    ...request,
    file: train.path,
    rowCount,
    classes,
    hasTestData: test !== null,
  });

  const statistics = new ColumnStatistics(layout.features);
  const rowSizeBytes = (layout.features + (classes === null ? layout.targets : 0)) * 4;
  const pieces = readPieces(staged.path, rowCount, rowSizeBytes);
  const written = await writeSplit(folder, pieces, { heldOut, labels: classes?.labels ?? null, statistics });
  await rm(staged.path);
  const notes = [...staged.warnings, ...warnings];
  if (test !== null) {
    const testTable = await writeTestTable(test.path, request, classes?.names ?? [], folder);
    refuseOtherFeatures(testTable.featureNames, featureNames, test.path);
    written.test = testTable.facts;
    notes.push(...testTable.warnings);
  }

  const spec = (path: string, { rowCount }: FileFacts) => rowFileSpec(path, rowCount, layout, classes !== null);
  const dataset = {
    train: spec(ROW_FILES.train, written.train),
    test: written.test === null ? null : spec(ROW_FILES.test, written.test),
    transform: { kind: "standardise" as const, ...statistics.result() },
    classNames: classes?.names ?? null,
  };
  const files = {
    [ROW_FILES.train]: written.train,
    ...(written.test === null ? {} : { [ROW_FILES.test]: written.test }),
  };
  const kept = { labelColumn: layout.labelColumn, featureNames: featureNames === null ? null : [...featureNames] };
  return { dataset, contentSha256, ...kept, warnings: notes, files };
}

/** The class of the first row where no other has it, so that the row may be a header; null: others have it too. */
function labelOfFirstAlone({ names, labels }: NonNullable<StagedTable["classes"]>): string | null {
  const [first] = labels;
  return first === undefined || labels.indexOf(first, 1) !== -1 ? null : (names[first] ?? null);
}

async function writeTestTable(
  file: string,
  request: NetworkShape & SplitRequest,
  names: readonly string[],
  folder: string,
): Promise<ReadTable & { facts: FileFacts }> {
  await using writer = await RowFileWriter.create(join(folder, ROW_FILES.test));
  const table = await readTable(file, request, { writer, encode: encoderOf(names) }, request.signal);
  return { ...table, facts: await writer.finish() };
}

async function stageTable(
  file: string,
  network: NetworkShape,
  path: string,
  signal: AbortSignal | undefined,
): Promise<StagedTable> {
  await using writer = await RowFileWriter.create(path);
  const collector = new LabelCollector();
  const encode: EncodeLabel = (label) => {
    collector.add(label);
    if (collector.overflowed) throw tooManyClasses(collector.classCount, network, file);
    return null;
  };
  const table = await readTable(file, network, { writer, encode }, signal);
  const { rowCount } = await writer.finish();
  return { ...table, path, rowCount, classes: network.target.kind === "class" ? collector.finish() : null };
}

/** Labels of test data must be classes of the training data. */
function encoderOf(names: readonly string[]): EncodeLabel {
  const numbers = new Map(names.map((name, index) => [name, index]));
  return (label, place) => {
    const number = numbers.get(className(label));
    if (number !== undefined) return number;
    throw dataInvalid(
      place,
      `the label ${quoted(label)} is none of the training data's classes`,
      "Leave the row out, or give training rows of that class",
    );
  };
}

function rowFileSpec(path: string, rowCount: number, layout: TableLayout, classes: boolean): RowFileSpec {
  const { features, targets } = layout;
  return { path, rowCount, features, featureType: "float32", targetType: classes ? "class" : "float32", targets };
}
