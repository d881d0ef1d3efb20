import { parentPort, workerData } from "node:worker_threads";
import { toFailure } from "../../shared/failure.js";
import type { FromReader, ReaderStart, ToReader } from "./batch-reader-messages.js";
import { type RowBuffers, rowBuffers } from "./row-buffers.js";
import { RowFileReader } from "./row-file-reader.js";
import { rowTransform } from "./row-transform.js";

const { file, transform, slots, maxRows } = workerData as ReaderStart;
const buffers = slots.map((memory) => rowBuffers(memory, file, maxRows));
const port = parentPort;
if (port === null) throw new RangeError("batch-reader-thread is started as a thread, not as a program");
const apply = await rowTransform(transform, file);

/** Opened by the first request, so that a missing file is that request's failure. */
let reader: RowFileReader | null = null;

port.on("message", (message: ToReader) => {
  if (message.kind === "close") {
    reader?.[Symbol.dispose]();
    port.close();
    return;
  }
  port.postMessage(answer(message.rows, buffers[message.slot]));
});

function answer(rows: Uint32Array, into: RowBuffers | undefined): FromReader {
  try {
    if (into === undefined) throw new RangeError("a read request names a slot that does not exist");
    reader ??= new RowFileReader(file, apply);
    reader.readRows(rows, into);
    return { kind: "filled" };
  } catch (thrown) {
    return { kind: "failed", failure: toFailure(thrown) };
  }
}
