import { RingstrasseError } from "../failure.js";
import { looksNumeric, quoted } from "./csv-number.js";
import type { TableLayout } from "./table-layout.js";

/** Most names that a message has room for. */
const NAMES_TOLD = 8;

/** What a header calls the feature columns, in their order; null where it only counts them. Pure. @param names of all columns */
export function featureNamesOf(names: readonly string[], { labelColumn, targets }: TableLayout): string[] | null {
  if (names.some(looksNumeric)) return null;
  const first = labelColumn ?? names.length;
  return names.filter((_, column) => column < first || column >= first + targets);
}

/**
 * Refuses a table whose header says that its features are not those of training, or stand in another order. Where either table has no
 * header nothing can be said. Pure.
 * @throws RingstrasseError DATA_MISMATCH naming the first feature that differs
 */
export function refuseOtherFeatures(
  names: readonly string[] | null,
  trained: readonly string[] | null,
  file: string,
): void {
  if (names === null || trained === null) return;
  const other = names.findIndex((name, feature) => name !== trained[feature]);
  if (other === -1) return;
  const problem = `feature ${other + 1} is named ${quoted(names[other] ?? "")}, and was ${quoted(trained[other] ?? "")} in the training data`;
  const told = trained.slice(0, NAMES_TOLD).map(quoted).join(", ") + (trained.length > NAMES_TOLD ? ", …" : "");
  const remedy = `Give the features in the order of the training data (${told}); if only their names are others, correct the header or leave it out`;
  throw new RingstrasseError({ code: "DATA_MISMATCH", file, elementPath: null, problem, remedy });
}
