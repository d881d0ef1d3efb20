import Table from "cli-table3";

/** A two-column table as text, ending with a line end. */
export function summaryTable(rows: readonly (readonly [name: string, value: string])[]): string {
  // No colours: the table may go to a file.
  const table = new Table({ style: { head: [], border: [], compact: true } });
  for (const [name, value] of rows) table.push([name, value]);
  return `${table.toString()}\n`;
}

/** A table with a head, as text, ending with a line end. */
export function columnTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push([...row]);
  return `${table.toString()}\n`;
}
