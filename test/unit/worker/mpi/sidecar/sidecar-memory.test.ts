import process from "node:process";
import { describe, expect, it } from "vitest";
import { SidecarMemory } from "../../../../../worker/mpi/sidecar/sidecar-memory.js";

/** As the sidecar says that MPI has done with it. */
function finish({ state }: { readonly state: Int32Array }): void {
  Atomics.store(state, 0, 1);
}

function memory() {
  const announced: number[] = [];
  return { announced, memory: new SidecarMemory((segment) => announced.push(segment)) };
}

describe.skipIf(process.platform !== "linux")("memory that is shared with a sidecar (needs Linux)", () => {
  it("pieces are aligned, apart from each other, and in segments that were announced", () => {
    const { announced, memory: shared } = memory();
    const pieces = [0, 1, 255, 256, 257, 5000, 3_000_001].map((size) => ({ size, piece: shared.take(size) }));
    for (const { size, piece } of pieces) {
      expect(piece.bytes.byteLength).toBeGreaterThanOrEqual(size);
      expect(piece.bytes.byteOffset % 64).toBe(0);
      // In its own file a piece lies where its view lies in the mapped memory.
      expect(piece.offset).toBe(piece.bytes.byteOffset);
      expect(announced).toContain(piece.segment);
    }
    for (const [index, { piece }] of pieces.entries()) piece.bytes.fill(index + 1);
    for (const [index, { piece }] of pieces.entries()) {
      expect(piece.bytes.every((byte) => byte === index + 1)).toBe(true);
      expect(piece.state[0]).toBe(0);
    }
    expect(announced).toHaveLength(2);
  });

  it("a piece that was given back is taken again, with a new state", () => {
    const { memory: shared } = memory();
    const first = shared.take(1000);
    finish(first);
    shared.give(first);
    const second = shared.take(800);
    expect(second).toBe(first);
    expect(second.state[0]).toBe(0);
    expect(shared.take(1000)).not.toBe(first);
  });

  it("an abandoned piece is left to MPI until it has done with it", () => {
    const { memory: shared } = memory();
    const first = shared.take(1000);
    shared.abandon(first);
    expect(shared.take(1000)).not.toBe(first);
    finish(first);
    expect(shared.take(1000)).toBe(first);
  });
});
