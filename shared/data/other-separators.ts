/** What programs for tables write between fields where the comma is the decimal sign, or by choice. */
const OTHERS = [
  [";", "semicolons"],
  ["\t", "tabs"],
] as const;

/**
 * What to do about a table that was split at commas and has come out wrong, where there are as many of other separators as of commas; null:
 * there aren't. Pure.
 * @param fields of one record, or one of them
 */
export function separatorRemedy(fields: readonly string[]): string | null {
  const text = fields.join("");
  const found = OTHERS.find(([separator]) => text.split(separator).length > Math.max(1, fields.length - 1));
  if (found === undefined) return null;
  return `Fields are separated by commas, and this file seems to have ${found[1]}: save it with commas, and with points as decimal signs`;
}
