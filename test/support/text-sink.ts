import { Writable } from "node:stream";

/** A stream that keeps what is written to it; `isTTY` as a terminal would have it. */
export class TextSink extends Writable {
  text = "";
  readonly isTTY: boolean;
  readonly columns = 120;

  constructor(isTTY = false) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.text += String(chunk);
    done();
  }
}
