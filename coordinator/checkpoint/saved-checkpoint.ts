import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import { RingstrasseError } from "../../shared/failure.js";
import { isSystemError } from "../../shared/write-failure.js";
import {
  type CheckpointDescription,
  CheckpointDescriptionSchema,
  decodePrologue,
  EPILOGUE_BYTES,
  MOST_DESCRIPTION_BYTES,
  PROLOGUE_BYTES,
} from "./checkpoint-format.js";

const CHUNK_BYTES = 4 << 20;

/** A checkpoint whose every byte was found to be as it was written. Its state is read where it lies. */
export class SavedCheckpoint implements AsyncDisposable {
  readonly path: string;
  readonly description: CheckpointDescription;
  readonly stateBytes: number;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle, content: Content) {
    this.path = path;
    this.#file = file;
    this.description = content.description;
    this.stateBytes = content.stateBytes;
  }

  /**
   * Opens a checkpoint and checks it to its last byte. Cost: reads the file once.
   * @throws RingstrasseError CHECKPOINT_UNUSABLE: truncated or edited; CHECKPOINT_UNREADABLE: of another format, or the system can't read it
   */
  static async open(path: string): Promise<SavedCheckpoint> {
    let file: FileHandle;
    try {
      file = await open(path, "r");
    } catch (cause) {
      throw unreadable(path, cause);
    }
    try {
      return new SavedCheckpoint(path, file, await readContent(path, file));
    } catch (cause) {
      await file.close();
      throw unreadable(path, cause);
    }
  }

  /** Bytes of the state. @throws RangeError outside it; RingstrasseError CHECKPOINT_UNUSABLE, CHECKPOINT_UNREADABLE */
  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    if (offsetBytes < 0 || offsetBytes + lengthBytes > this.stateBytes)
      throw new RangeError(`bytes ${offsetBytes}..${offsetBytes + lengthBytes} of a state of ${this.stateBytes}`);
    try {
      return await readExactly(this.#file, PROLOGUE_BYTES + offsetBytes, lengthBytes);
    } catch (cause) {
      throw unreadable(this.path, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

interface Content {
  readonly description: CheckpointDescription;
  readonly stateBytes: number;
}

/** In which way a checkpoint is not as it was written, for people. */
class Damage extends Error {}

/** Why what needn't be damaged is not understood here, for people. */
class Foreign extends Error {}

async function readContent(path: string, file: FileHandle): Promise<Content> {
  const stats = await file.stat();
  if (!stats.isFile()) throw new Foreign("it is no file");
  const { size } = stats;
  if (size < PROLOGUE_BYTES + EPILOGUE_BYTES) throw new Damage(`it ends after ${size} bytes`);
  const prologue = decodePrologue(await readExactly(file, 0, PROLOGUE_BYTES));
  if (prologue.kind === "foreign") throw new Foreign(prologue.problem);
  if (prologue.kind === "none") throw new Damage(prologue.problem);
  const { stateBytes } = prologue;
  const epilogue = await readExactly(file, size - EPILOGUE_BYTES, EPILOGUE_BYTES);
  const descriptionBytes = Number(epilogue.readBigUInt64LE());
  const expected = PROLOGUE_BYTES + stateBytes + descriptionBytes + EPILOGUE_BYTES;
  if (size !== expected || descriptionBytes > MOST_DESCRIPTION_BYTES)
    throw new Damage(`it has ${size} bytes, but says that it has ${expected}: it was cut off or added to`);
  const { all, state } = await hashes(file, stateBytes, size - 32);
  if (!all.equals(epilogue.subarray(8))) throw new Damage("its SHA-256 is another: bytes of it have changed");
  const text = await readExactly(file, PROLOGUE_BYTES + stateBytes, descriptionBytes);
  const description = readDescription(text.toString("utf8"));
  if (description.stateSha256 !== state) throw new Damage(`its state has SHA-256 ${state}: ${path} was made up`);
  return { description, stateBytes };
}

/** Of a file whose bytes are as they were written: what is not understood comes from another version. */
function readDescription(text: string): CheckpointDescription {
  try {
    return CheckpointDescriptionSchema.parse(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof z.ZodError) && !(cause instanceof SyntaxError)) throw cause;
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : cause.message;
    throw new Foreign(`its description is not understood (${why})`, { cause });
  }
}

/** Of the first `until` bytes, and of the state alone. */
async function hashes(file: FileHandle, stateBytes: number, until: number): Promise<{ all: Buffer; state: string }> {
  const all = createHash("sha256");
  const state = createHash("sha256");
  const stateEnd = PROLOGUE_BYTES + stateBytes;
  for (let at = 0; at < until; ) {
    const end = at < PROLOGUE_BYTES ? PROLOGUE_BYTES : at < stateEnd ? stateEnd : until;
    const chunk = await readExactly(file, at, Math.min(CHUNK_BYTES, end - at));
    all.update(chunk);
    if (at >= PROLOGUE_BYTES && at < stateEnd) state.update(chunk);
    at += chunk.byteLength;
  }
  return { all: all.digest(), state: state.digest("hex") };
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new Damage(`it ends at byte ${position + done}`);
    done += bytesRead;
  }
  return bytes;
}

function unreadable(path: string, cause: unknown): unknown {
  const remedy = "Go on from another checkpoint, or start the job anew without --resume";
  if (cause instanceof Damage)
    return new RingstrasseError({ code: "CHECKPOINT_UNUSABLE", path, problem: cause.message, remedy }, { cause });
  if (!(cause instanceof Foreign) && !isSystemError(cause)) return cause;
  const problem = isSystemError(cause) ? `it can't be read (${cause.code})` : cause.message;
  return new RingstrasseError({ code: "CHECKPOINT_UNREADABLE", path, problem, remedy }, { cause });
}
