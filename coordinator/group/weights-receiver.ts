import { createHash } from "node:crypto";
import { RingstrasseError } from "../../shared/failure.js";
import type { FromWorker } from "../../shared/protocol/control-message.js";

type Piece = Extract<FromWorker, { kind: "weights" }>;

/** Puts the pieces of the trained weights together. Pieces come in order. */
export class WeightsReceiver {
  #bytes: Uint8Array | null = null;
  #received = 0;

  /** @throws RingstrasseError PROTOCOL_VIOLATION for a piece that does not follow the one before. */
  add(piece: Piece, from: string): void {
    this.#bytes ??= new Uint8Array(piece.totalBytes);
    const fits = piece.totalBytes === this.#bytes.byteLength && piece.offsetBytes === this.#received;
    if (!fits || this.#received + piece.bytes.byteLength > this.#bytes.byteLength) {
      const problem = `a piece of the weights at byte ${piece.offsetBytes} of ${piece.totalBytes}, expected byte ${this.#received}`;
      throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from, problem });
    }
    this.#bytes.set(piece.bytes, piece.offsetBytes);
    this.#received += piece.bytes.byteLength;
  }

  /**
   * The whole: the trainable tensors in layer order, then the running statistics, little-endian float32.
   * @param announced the hash, of so many bytes at the beginning: it is that of the trainable tensors
   * @throws RingstrasseError PROTOCOL_VIOLATION unless it has that hash.
   */
  take({ sha256, hashedBytes }: { sha256: string; hashedBytes: number }, from: string): Uint8Array {
    const bytes = this.#bytes ?? new Uint8Array();
    const got = createHash("sha256").update(bytes.subarray(0, hashedBytes)).digest("hex");
    if (this.#received === bytes.byteLength && got === sha256) return bytes;
    const problem = `its weights (${this.#received} of ${bytes.byteLength} bytes) have SHA-256 ${got}, it announced ${sha256}`;
    throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from, problem });
  }
}
