import { RANDOM_PURPOSE, RandomStream } from "../random/random-stream.js";
import { shuffle } from "../random/shuffle.js";

/** Row files up to this size are shuffled as a whole. A fixed number: whatever the machine, the order must be the same. */
export const WHOLE_SHUFFLE_LIMIT_BYTES = 1024 ** 3;
/** Rows that stay neighbours on the disk until their window is shuffled. */
const BLOCK_BYTES = 1024 ** 2;
const BLOCKS_PER_WINDOW = 64;
/** Slices of neighbouring replicas may lie across two windows. */
const WINDOWS_KEPT = 2;

/** The order in which one epoch uses the rows: a permutation of 0 … rowCount − 1. */
export interface RowOrder {
  readonly rowCount: number;
  /** Row number at a position, 0 ≤ position < rowCount. @throws RangeError */
  rowAt(position: number): number;
  /** Row numbers at positions [from, to) into the beginning of `into`. @throws RangeError */
  fill(from: number, to: number, into: Uint32Array): void;
}

export interface RowOrderKey {
  readonly seed: number;
  /** As the trainer counts epochs. */
  readonly epoch: number;
  readonly rowCount: number;
  readonly rowSizeBytes: number;
  /** Default 1 GiB; another number is for tests only, since it changes orders and so hashes. */
  readonly wholeShuffleLimitBytes?: number;
}

/**
 * The epoch's order: a pure function of seed, epoch, row count and row size. Every order is equally likely up to 1 GiB of rows
 * (Fisher–Yates, 4 bytes of memory per row); above, blocks of about 1 MiB of consecutive rows are shuffled, then the rows within
 * each window of 64 blocks of that order, which is computed when it is first asked for, so that memory stays bounded and reads stay
 * near each other.
 * @throws RangeError for more than 2^32 rows
 */
export function createRowOrder(key: RowOrderKey): RowOrder {
  const { rowCount, rowSizeBytes, wholeShuffleLimitBytes = WHOLE_SHUFFLE_LIMIT_BYTES } = key;
  if (!Number.isInteger(rowCount) || rowCount < 0 || rowCount > 2 ** 32)
    throw new RangeError(`row count is ${rowCount}`);
  return rowCount * rowSizeBytes <= wholeShuffleLimitBytes ? new WholeOrder(key) : new BlockwiseOrder(key);
}

class WholeOrder implements RowOrder {
  readonly rowCount: number;
  readonly #rows: Uint32Array;

  constructor({ seed, epoch, rowCount }: RowOrderKey) {
    this.rowCount = rowCount;
    this.#rows = ascending(rowCount);
    shuffle(this.#rows, new RandomStream({ seed, purpose: RANDOM_PURPOSE.permutation, epoch }));
  }

  rowAt(position: number): number {
    assertSpan(position, position + 1, this.rowCount);
    return this.#rows[position] as number;
  }

  fill(from: number, to: number, into: Uint32Array): void {
    assertSpan(from, to, this.rowCount);
    into.set(this.#rows.subarray(from, to));
  }
}

class BlockwiseOrder implements RowOrder {
  readonly rowCount: number;
  readonly #key: RowOrderKey;
  readonly #rowsPerBlock: number;
  readonly #blocks: Uint32Array;
  /** The window that holds the file's last block, which may be shorter than the others, and by how many rows. */
  readonly #shortWindow: number;
  readonly #missingRows: number;
  /** Most recently used first. */
  #windows: { readonly index: number; readonly rows: Uint32Array }[] = [];

  constructor(key: RowOrderKey) {
    this.rowCount = key.rowCount;
    this.#key = key;
    this.#rowsPerBlock = Math.max(1, Math.floor(BLOCK_BYTES / key.rowSizeBytes));
    const blockCount = Math.ceil(key.rowCount / this.#rowsPerBlock);
    this.#blocks = ascending(blockCount);
    // Windows are keyed by step 1, 2, …; their order by step 0.
    shuffle(this.#blocks, this.#random(0));
    this.#shortWindow = Math.floor(this.#blocks.indexOf(blockCount - 1) / BLOCKS_PER_WINDOW);
    this.#missingRows = blockCount * this.#rowsPerBlock - key.rowCount;
  }

  rowAt(position: number): number {
    assertSpan(position, position + 1, this.rowCount);
    const window = this.#windowOf(position);
    return this.#window(window)[position - this.#startOf(window)] as number;
  }

  fill(from: number, to: number, into: Uint32Array): void {
    assertSpan(from, to, this.rowCount);
    let position = from;
    while (position < to) {
      const window = this.#windowOf(position);
      const start = this.#startOf(window);
      const rows = this.#window(window);
      const end = Math.min(to, start + rows.length);
      into.set(rows.subarray(position - start, end - start), position - from);
      position = end;
    }
  }

  #windowOf(position: number): number {
    const guess = Math.floor(position / (BLOCKS_PER_WINDOW * this.#rowsPerBlock));
    // A short block further ahead pulls later windows forward by less than one block.
    return position >= this.#startOf(guess + 1) ? guess + 1 : guess;
  }

  /** Position of a window's first row. */
  #startOf(window: number): number {
    const start = window * BLOCKS_PER_WINDOW * this.#rowsPerBlock;
    return window > this.#shortWindow ? start - this.#missingRows : start;
  }

  #window(index: number): Uint32Array {
    const kept = this.#windows.find((window) => window.index === index);
    const rows = kept?.rows ?? this.#shuffleWindow(index);
    const others = this.#windows.filter((window) => window.index !== index);
    this.#windows = [{ index, rows }, ...others].slice(0, WINDOWS_KEPT);
    return rows;
  }

  #shuffleWindow(index: number): Uint32Array {
    const blocks = this.#blocks.subarray(index * BLOCKS_PER_WINDOW, (index + 1) * BLOCKS_PER_WINDOW);
    const missing = index === this.#shortWindow ? this.#missingRows : 0;
    const rows = new Uint32Array(blocks.length * this.#rowsPerBlock - missing);
    let at = 0;
    for (const block of blocks) {
      const first = block * this.#rowsPerBlock;
      const end = Math.min(first + this.#rowsPerBlock, this.rowCount);
      for (let row = first; row < end; row++) rows[at++] = row;
    }
    shuffle(rows, this.#random(index + 1));
    return rows;
  }

  #random(step: number): RandomStream {
    const { seed, epoch } = this.#key;
    return new RandomStream({ seed, purpose: RANDOM_PURPOSE.permutation, epoch, step });
  }
}

function assertSpan(from: number, to: number, rowCount: number): void {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || from > to || to > rowCount) {
    throw new RangeError(`positions ${from}..${to} are outside 0..${rowCount}`);
  }
}

function ascending(count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let index = 0; index < count; index++) numbers[index] = index;
  return numbers;
}
