import { float32Field } from "../../shared/data/csv-number.js";
import { type CsvRecord, readCsv } from "../../shared/data/csv-source.js";
import { dataInvalid } from "../../shared/data/data-failure.js";
import { featureNamesOf } from "../../shared/data/feature-names.js";
import { headerWarning, refuseNamesInFirstRow } from "../../shared/data/table-header.js";
import { readFeatures, type TableLayout } from "../../shared/data/table-layout.js";
import { type NetworkShape, tableLayout } from "./dataset-fit.js";
import type { RowFileWriter } from "./row-file-writer.js";

/** What becomes of a row's class label: its class number, or null when the class is stored elsewhere. */
export type EncodeLabel = (label: string, place: { file: string; row: number; column: number }) => number | null;

/** What reading a table has shown. */
export interface ReadTable {
  /** The roles of the columns. */
  readonly layout: TableLayout;
  /** What the header calls the features, in their order; null: there is no header. */
  readonly featureNames: readonly string[] | null;
  /** For the user: full sentences without final period. */
  readonly warnings: readonly string[];
}

/**
 * Reads a table into a row file: float32 features, then float32 targets or what `encode` makes of the label. Memory does not grow
 * with the table.
 * @param encode called once per row, in the order of the file; never for real-valued targets
 * @throws RingstrasseError INPUT_MISSING, DATA_INVALID, DATA_MISMATCH
 */
export async function readTable(
  path: string,
  network: NetworkShape,
  to: { readonly writer: RowFileWriter; readonly encode: EncodeLabel },
  signal?: AbortSignal,
): Promise<ReadTable> {
  let layout: TableLayout | null = null;
  const header: { names: readonly string[] | null } = { names: null };
  let appendRow: (record: CsvRecord) => void = () => undefined;
  for await (const records of readCsv(path, signal, (names) => (header.names = names))) {
    if (layout === null) {
      layout = tableLayout(records[0]?.fields ?? [], network, path);
      refuseNamesInFirstRow(records, network.target.kind === "class" ? layout.labelColumn : null, path);
      appendRow = rowAppender(path, layout, network, to);
    }
    for (const record of records) appendRow(record);
    await to.writer.drain();
  }
  if (layout === null) throw dataInvalid({ file: path }, "the file has no rows", "Give a file with one row per line");
  if (header.names === null) return { layout, featureNames: null, warnings: [] };
  const warning = headerWarning(header.names, path);
  return { layout, featureNames: featureNamesOf(header.names, layout), warnings: warning === null ? [] : [warning] };
}

function rowAppender(
  file: string,
  layout: TableLayout,
  network: NetworkShape,
  to: { readonly writer: RowFileWriter; readonly encode: EncodeLabel },
): (record: CsvRecord) => void {
  const { features, targets } = layout;
  const labelColumn = layout.labelColumn ?? layout.columns;
  const classes = network.target.kind === "class";
  const values = new Float32Array(features + (classes ? 0 : targets));
  const bytes = new Uint8Array(values.buffer);
  const into = { values, offset: 0 };
  return (record) => {
    readFeatures(record, layout, file, into);
    if (classes) {
      const label = record.fields[labelColumn] ?? "";
      const place = { file, row: record.line, column: labelColumn };
      if (label === "") throw dataInvalid(place, "the label is empty", "Fill it in, or leave the row out");
      to.writer.append(bytes, to.encode(label, place));
      return;
    }
    for (let target = 0; target < targets; target++) {
      values[features + target] = float32Field(record, labelColumn + target, file);
    }
    to.writer.append(bytes, null);
  };
}
