import { readFileSync } from "node:fs";
import process from "node:process";

/** More than beginning MPI lets the heap grow by. */
const ENOUGH_ROOM_BYTES = 256 * 2 ** 20;

/**
 * Tells UCX, through which MPI libraries reach fast networks, how to live in this process. Must be called before MPI's library is
 * loaded, on the main thread; what the user has set stays.
 *
 * To try its memory hooks UCX moves the end of the heap a page up and a page down again, and does not look whether the first has
 * succeeded (`ucm_fire_mmap_events`, UCX 1.13). V8's code may lie right behind the heap, by chance about once in thirty starts here: then
 * the last page of the heap is gone, and with it the process at the next garbage collection. So the hooks stay off where the heap has
 * little room; what they cost is the cache of memory registered with an InfiniBand adapter.
 *
 * UCX's handlers of signals stay off as well: they would replace V8's own, by which WebAssembly's checks of bounds work.
 */
export function prepareUcxEnvironment(): void {
  const { env } = process;
  env["UCX_ERROR_SIGNALS"] ??= "";
  // Other systems have neither this file nor UCX.
  if (process.platform !== "linux") return;
  const room = roomAboveHeap(readFileSync("/proc/self/maps", "latin1"));
  if (room < ENOUGH_ROOM_BYTES) env["UCX_MEM_EVENTS"] ??= "n";
}

/** Bytes between the end of the heap and what follows it, by proc_pid_maps(5); infinity: nothing does. Pure. */
export function roomAboveHeap(maps: string): number {
  const ranges = [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) .*?(\s\[heap\])?$/gm)].map(
    ([, from = "", to = "", heap]) => ({
      from: Number.parseInt(from, 16),
      to: Number.parseInt(to, 16),
      isHeap: heap !== undefined,
    }),
  );
  const heap = ranges.findLastIndex(({ isHeap }) => isHeap);
  const [end, next] = [ranges[heap]?.to, ranges[heap + 1]?.from];
  return heap === -1 || end === undefined || next === undefined ? Number.POSITIVE_INFINITY : next - end;
}
