import { float32Field } from "./csv-number.js";
import type { CsvRecord } from "./csv-source.js";

/** Which columns of a table are features and which are targets. */
export interface TableLayout {
  readonly columns: number;
  readonly features: number;
  /** First of the consecutive target columns, 0-based; null: the table has none. */
  readonly labelColumn: number | null;
  /** Number of target columns; 0 when there are none. */
  readonly targets: number;
}

/**
 * Writes the feature columns of a record, in their order, from `offset` of `into` on, as float32.
 * @throws RingstrasseError DATA_INVALID naming row and column
 */
export function readFeatures(
  record: CsvRecord,
  layout: TableLayout,
  file: string,
  into: { readonly values: Float32Array; readonly offset: number },
): void {
  const { columns, targets } = layout;
  const labelColumn = layout.labelColumn ?? columns;
  let at = into.offset;
  for (let column = 0; column < labelColumn; column++) into.values[at++] = float32Field(record, column, file);
  for (let column = labelColumn + targets; column < columns; column++) {
    into.values[at++] = float32Field(record, column, file);
  }
}
