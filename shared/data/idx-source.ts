import { dataInvalid } from "./data-failure.js";
import { readBytes } from "./input-bytes.js";

/** Element types of the format by their code; only unsigned bytes are read. */
const ELEMENT_TYPES: Readonly<Record<number, string>> = {
  0x08: "unsigned byte",
  0x09: "signed byte",
  0x0b: "16-bit integer",
  0x0c: "32-bit integer",
  0x0d: "32-bit float",
  0x0e: "64-bit float",
};
const UNSIGNED_BYTE = 0x08;
const REMEDY = "Fetch the file again, or write it as IDX of unsigned bytes";

/** Whether bytes are the magic number of an IDX file: two zeros, a known element type, at least one dimension. */
export function isIdxMagic(start: Uint8Array): boolean {
  return start.length >= 4 && start[0] === 0 && start[1] === 0 && (start[2] ?? 0) in ELEMENT_TYPES && start[3] !== 0;
}

/** Some consecutive items of an IDX file. */
export interface IdxItems {
  /** 0-based number of the first one. */
  readonly first: number;
  readonly count: number;
  /** `[count, itemSize]`; valid until the next piece is asked for. */
  readonly bytes: Uint8Array;
}

/**
 * An IDX file (the format of MNIST: http://yann.lecun.com/exdb/mnist) of unsigned bytes, gzipped or not, read front to back once.
 * Images have two or more dimensions, the first of which counts them; labels have that one only. Memory does not grow with the file.
 */
export class IdxSource implements AsyncDisposable {
  readonly path: string;
  /** Items. */
  readonly count: number;
  /** Size of one item, e.g. `[28, 28]`; empty for labels. */
  readonly shape: readonly number[];
  /** Bytes per item; 1 for labels. */
  readonly itemSize: number;
  readonly #bytes: ByteQueue;

  private constructor(path: string, dimensions: readonly number[], bytes: ByteQueue) {
    const [count = 0, ...shape] = dimensions;
    this.path = path;
    this.count = count;
    this.shape = shape;
    this.itemSize = shape.reduce((product, size) => product * size, 1);
    this.#bytes = bytes;
  }

  /** Reads the header. @throws RingstrasseError INPUT_MISSING; DATA_INVALID: no IDX, another element type, truncated */
  static async open(path: string, signal?: AbortSignal): Promise<IdxSource> {
    const bytes = new ByteQueue(readBytes(path, { signal }));
    try {
      const dimensions = await readDimensions(path, bytes);
      return new IdxSource(path, dimensions, bytes);
    } catch (cause) {
      await bytes.close();
      throw cause;
    }
  }

  /**
   * All items in pieces of at most `maxBytes`, but of one item at least. Once per source; ends at the last item.
   * @throws RingstrasseError DATA_INVALID when the file ends early (naming the item) or goes on after the last item
   */
  async *items(maxBytes = 256 * 1024): AsyncGenerator<IdxItems, void, undefined> {
    const perPiece = Math.max(1, Math.floor(maxBytes / this.itemSize));
    for (let first = 0; first < this.count; first += perPiece) {
      const count = Math.min(perPiece, this.count - first);
      const bytes = await this.#bytes.take(count * this.itemSize);
      if (bytes.byteLength < count * this.itemSize) {
        const whole = first + Math.floor(bytes.byteLength / this.itemSize);
        const problem = `the file is cut off: its header announces ${this.count} items, it holds ${whole}`;
        throw dataInvalid({ file: this.path, row: whole + 1 }, problem, REMEDY);
      }
      yield { first, count, bytes };
    }
    const more = await this.#bytes.take(1);
    if (more.byteLength > 0) {
      const problem = `the file goes on after the ${this.count} items that its header announces`;
      throw dataInvalid({ file: this.path, row: this.count + 1 }, problem, REMEDY);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bytes.close();
  }
}

async function readDimensions(file: string, bytes: ByteQueue): Promise<number[]> {
  const magic = await bytes.take(4);
  if (!isIdxMagic(magic)) {
    throw dataInvalid({ file }, "it is not an IDX file: its first four bytes are not the magic number", REMEDY);
  }
  const [, , type = 0, rank = 0] = magic;
  if (type !== UNSIGNED_BYTE) {
    const problem = `its elements are of type ${ELEMENT_TYPES[type]}; only unsigned bytes are supported`;
    throw dataInvalid({ file }, problem, "Write the images as bytes from 0 to 255");
  }
  const header = await bytes.take(rank * 4);
  if (header.byteLength < rank * 4) throw dataInvalid({ file }, "the file is cut off within its header", REMEDY);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const dimensions = Array.from({ length: rank }, (_, index) => view.getUint32(index * 4));
  if (dimensions.includes(0)) {
    throw dataInvalid(
      { file },
      `the file holds no items (dimensions ${dimensions.join(" × ")})`,
      "Give a file with rows",
    );
  }
  const elements = dimensions.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(elements)) {
    throw dataInvalid({ file }, `the dimensions ${dimensions.join(" × ")} are beyond any file's size`, REMEDY);
  }
  return dimensions;
}

/** Takes exact amounts out of a stream of pieces; holds what one `take` asks for and one piece more. */
class ByteQueue {
  readonly #pieces: AsyncGenerator<Buffer, void, undefined>;
  #held: Buffer = Buffer.alloc(0);

  constructor(pieces: AsyncGenerator<Buffer, void, undefined>) {
    this.#pieces = pieces;
  }

  /** The next `length` bytes; fewer at the end of the stream. */
  async take(length: number): Promise<Buffer> {
    const parts = [this.#held];
    let available = this.#held.byteLength;
    while (available < length) {
      const { value, done } = await this.#pieces.next();
      if (done === true || value === undefined) break;
      parts.push(value);
      available += value.byteLength;
    }
    const all = parts.length === 1 ? this.#held : Buffer.concat(parts);
    this.#held = all.subarray(length);
    return all.subarray(0, length);
  }

  async close(): Promise<void> {
    await this.#pieces.return();
  }
}
