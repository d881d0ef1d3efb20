import { once } from "node:events";
import { readdirSync } from "node:fs";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { blockPlan } from "../../../../shared/arena-layout.js";
import { WINDOW_ALIGNMENT, windowBytes } from "../../../../shared/window-layout.js";
import { type WindowPlaces, windowPlaces } from "../../../../worker/collective/exchange-window.js";
import { FutexSleeper } from "../../../../worker/collective/futex-sleeper.js";
import { mapWindow } from "../../../../worker/collective/mapped-window.js";
import { createSegment } from "../../../../worker/collective/shared-segment.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const SIZES = { blocks: blockPlan(100_000, 3), scalarCount: 5, replicas: 3 };

/** A worker's memory with things before and behind the window. */
function withWindow(): { readonly memory: SharedMemory; readonly places: WindowPlaces; readonly behind: number } {
  const memory = new SharedMemory();
  memory.allocate(1000);
  const places = windowPlaces(SIZES, memory.allocate(windowBytes(SIZES), WINDOW_ALIGNMENT));
  return { memory, places, behind: memory.allocate(4096) };
}

const SLEEPS_WITHOUT_END = `
  const libc = require("koffi").load(null);
  const futex = libc.func("long syscall(long number, void *word, int operation, uint32_t value, void *timeout)");
  futex(process.arch === "x64" ? 202 : 98, require("node:worker_threads").workerData.word, 0, 0, null);
`;

const openFiles = () => readdirSync("/proc/self/fd").length;

describe.skipIf(process.platform !== "linux")("mapped windows (need Linux)", () => {
  it("what one worker writes appears in the others' memory, in its place and nowhere else", () => {
    using segment = createSegment(windowBytes(SIZES));
    const [one, two] = [withWindow(), withWindow()];
    one.memory.float32(one.behind, 1).fill(5);
    using _first = mapWindow(segment.place, one.memory.memory, one.places);
    using _second = mapWindow(segment.place, two.memory.memory, two.places);
    const replica = 2;
    one.memory.float32(one.places.gradients[replica] ?? 0, 100_000).fill(1.5);
    two.memory.float64(two.places.scalarSums[1], 5).fill(2.5);
    expect(two.memory.float32(two.places.gradients[replica] ?? 0, 100_000).every((value) => value === 1.5)).toBe(true);
    expect([...one.memory.float64(one.places.scalarSums[1], 5)]).toEqual(Array(5).fill(2.5));
    expect(two.memory.float32(two.places.gradients[1] ?? 0, 100_000).every((value) => value === 0)).toBe(true);
    expect([one.memory.float32(one.behind, 1)[0], two.memory.float32(two.behind, 1)[0]]).toEqual([5, 0]);
  });

  it("stays when the memory grows, and is the worker's own and empty again afterwards", () => {
    using segment = createSegment(windowBytes(SIZES));
    const { memory, places } = withWindow();
    const mapped = mapWindow(segment.place, memory.memory, places);
    memory.allocate(50_000_000);
    memory.float32(places.sums[0], 16).fill(3);
    expect(new Float32Array(segment.bytes.buffer, places.sums[0] - places.address, 16)[0]).toBe(3);
    mapped[Symbol.dispose]();
    expect(memory.float32(places.sums[0], 16)[0]).toBe(0);
    memory.float32(places.sums[0], 16).fill(4);
    expect(new Float32Array(segment.bytes.buffer, places.sums[0] - places.address, 16)[0]).toBe(3);
  });

  it("refuses another segment, and one that is too small, and leaves no open files behind", async () => {
    using segment = createSegment(windowBytes(SIZES));
    using small = createSegment(4096);
    const { memory, places } = withWindow();
    const before = openFiles();
    const stranger = { ...segment.place, key: "0".repeat(64) };
    const map = (place: typeof stranger) =>
      failureWithCode("COLLECTIVE_UNAVAILABLE", () => mapWindow(place, memory.memory, places));
    expect((await map(stranger)).problem).toContain("another host");
    expect((await map(small.place)).problem).toContain("a segment of 4096 bytes has no room");
    mapWindow(segment.place, memory.memory, places)[Symbol.dispose]();
    expect(openFiles()).toBe(before);
  });

  it("those who sleep on a word of it are woken from another thread, and don't sleep when it has changed", async () => {
    using segment = createSegment(windowBytes(SIZES));
    const { memory, places } = withWindow();
    using _mapped = mapWindow(segment.place, memory.memory, places);
    const word = new Int32Array(memory.memory.buffer, places.board[0] ?? 0, 1);
    const other = new Worker(SLEEPS_WITHOUT_END, { eval: true, workerData: { word } });
    const ended = once(other, "exit");
    const sleeper = new FutexSleeper(2);
    let isAwake = false;
    other.once("exit", () => {
      isAwake = true;
    });
    // It may not sleep yet when it is woken for the first time.
    for (; !isAwake; await new Promise(setImmediate)) sleeper.wake(word);
    expect(await ended).toEqual([0]);
    word[0] = 1;
    sleeper.sleep(word, 0, 60_000);
  });
});
