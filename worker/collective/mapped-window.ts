import type { SegmentPlace } from "../../shared/protocol/control-message.js";
import type { WindowPlaces } from "./exchange-window.js";
import type { LinuxCalls } from "./linux-calls.js";
import { isMapFailed } from "./linux-calls.js";
import {
  MAP_SHARED,
  PROT_READ_WRITE,
  SEGMENT_HEADER_BYTES,
  sharedMemoryUnavailable,
  withSegmentFile,
} from "./shared-segment.js";

const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const NO_FILE = -1;

/**
 * Puts a segment in the place of a window of this worker's memory, where kernels and engines reach it as they reach all else: mmap(2) with
 * `MAP_FIXED` over whole pages. What was in the window before is lost. When disposed of the window is memory of its own again, zeroed.
 *
 * That an engine's `WebAssembly.Memory` stays where it is once shared is what aliasing native code relies on too; that it really shows the
 * segment now is looked at here: the segment's key must appear in it.
 *
 * @param memory of which `window` is a part; must not be touched there by anybody meanwhile
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE
 */
export function mapWindow(
  place: SegmentPlace,
  memory: WebAssembly.Memory,
  { address, sizeBytes }: WindowPlaces,
): Disposable {
  if (place.sizeBytes + SEGMENT_HEADER_BYTES < sizeBytes) {
    throw sharedMemoryUnavailable(`a segment of ${place.sizeBytes} bytes has no room for a window of ${sizeBytes}`);
  }
  const window = new Uint8Array(memory.buffer, address, sizeBytes);
  return withSegmentFile(place, (calls, fd) => {
    if (isMapFailed(calls.mmap(window, sizeBytes, PROT_READ_WRITE, MAP_SHARED | MAP_FIXED, fd, 0)))
      throw sharedMemoryUnavailable("shared memory can't be mapped into the worker's own (mmap)");
    const key = Buffer.from(place.key, "hex");
    if (!key.equals(window.slice(0, key.byteLength))) {
      restore(calls, window);
      throw sharedMemoryUnavailable("shared memory that was mapped into the worker's own does not appear there");
    }
    return { [Symbol.dispose]: () => restore(calls, window) };
  });
}

function restore(calls: LinuxCalls, window: Uint8Array): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (isMapFailed(calls.mmap(window, window.byteLength, PROT_READ_WRITE, flags, NO_FILE, 0)))
    throw sharedMemoryUnavailable("the worker's own memory can't be had back from a window (mmap)");
}
