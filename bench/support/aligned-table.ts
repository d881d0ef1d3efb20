/** Lines of text in columns that end under each other. @param lines as many cells each as the first has */
export function alignedTable(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines.map((line) => line.map((text, column) => text.padStart(widths[column] ?? 0)).join("  ")).join("\n");
}
