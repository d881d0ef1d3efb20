import { className, orderClassNames } from "../../shared/data/class-label.js";

/** More classes than any output layer stands for: probably a column of measurements was taken for the label. */
const MAX_CLASSES = 100_000;
const PIECE_ROWS = 65_536;

/** Gathers the labels of rows whose classes are not known beforehand: 4 bytes per row, and each different label once. Pure. */
export class LabelCollector {
  /** By text as written. */
  readonly #numbers = new Map<string, number>();
  /** By name; several texts may be one name. In order of first appearance. */
  readonly #names = new Map<string, number>();
  readonly #pieces: Uint32Array[] = [];
  #count = 0;

  /** Whether so many different labels came that none of the rest need be read. */
  get overflowed(): boolean {
    return this.#names.size > MAX_CLASSES;
  }

  /** Different names so far. */
  get classCount(): number {
    return this.#names.size;
  }

  add(label: string): void {
    const offset = this.#count % PIECE_ROWS;
    if (offset === 0) this.#pieces.push(new Uint32Array(PIECE_ROWS));
    const piece = this.#pieces.at(-1) as Uint32Array;
    piece[offset] = this.#numberOf(label);
    this.#count++;
  }

  /** The names in the order of their class numbers, and each row's class. */
  finish(): { names: string[]; labels: Uint32Array } {
    const found = [...this.#names.keys()];
    const names = orderClassNames(found);
    const numbers = new Map(names.map((name, index) => [name, index]));
    const final = Uint32Array.from(found, (name) => numbers.get(name) as number);
    const labels = new Uint32Array(this.#count);
    for (const [index, piece] of this.#pieces.entries()) {
      const from = index * PIECE_ROWS;
      const rows = Math.min(PIECE_ROWS, this.#count - from);
      for (let row = 0; row < rows; row++) labels[from + row] = final[piece[row] as number] as number;
    }
    return { names, labels };
  }

  #numberOf(label: string): number {
    const known = this.#numbers.get(label);
    if (known !== undefined) return known;
    const name = className(label);
    const number = this.#names.get(name) ?? this.#names.size;
    this.#names.set(Buffer.from(name).toString(), number);
    // A copy of its own: the label may be a part of a long text, which then could not be given up.
    this.#numbers.set(Buffer.from(label).toString(), number);
    return number;
  }
}
