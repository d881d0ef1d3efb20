/** Turns offsets into a text into lines and columns. Building costs O(length), a look-up O(log lines). */
export class LineIndex {
  /** Offset of the first character of each line. */
  readonly #starts: number[] = [0];

  /** @param text with line ends `\n` only. */
  constructor(text: string) {
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) this.#starts.push(end + 1);
  }

  /** 1-based line and column (UTF-16 units) of the character at `offset`. */
  positionOf(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }

  /** The reverse of {@link positionOf}; of a line that there isn't: 0. */
  offsetOf({ line, column }: { readonly line: number; readonly column: number }): number {
    return (this.#starts[line - 1] ?? 0) + column - 1;
  }
}
