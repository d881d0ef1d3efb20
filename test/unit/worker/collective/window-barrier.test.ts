import { describe, expect, it } from "vitest";
import { blockPlan } from "../../../../shared/arena-layout.js";
import { windowPlaces } from "../../../../worker/collective/exchange-window.js";
import type { FramePhase } from "../../../../worker/collective/frame-header.js";
import { WindowBarrier } from "../../../../worker/collective/window-barrier.js";
import type { WordSleeper } from "../../../../worker/collective/word-sleeper.js";
import { LAYOUT_HASH } from "../../../support/exchange-group.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const never = new AbortController().signal;
/** All workers of these tests are in one thread: whoever waits gives way. */
const GIVING_WAY: WordSleeper = { spinMs: 0, giveWay: () => undefined, sleep: () => undefined, wake: () => undefined };
const places = windowPlaces({ blocks: blockPlan(16, 4), scalarCount: 1, replicas: 4 }, 0);

interface Comer {
  readonly generation?: number;
  readonly layoutHash?: string;
}

function group(...comers: readonly Comer[]): { readonly barriers: WindowBarrier[]; readonly words: Int32Array[] } {
  const memory = { buffer: new SharedArrayBuffer(places.sizeBytes) };
  const barriers = comers.map(({ generation = 1, layoutHash = LAYOUT_HASH }, rank) => {
    const membership = { generation, rank, worldSize: comers.length, replicas: 4 };
    return new WindowBarrier({ membership, layoutHash, memory, board: places.board, sleeper: GIVING_WAY });
  });
  return { barriers, words: places.board.map((address) => new Int32Array(memory.buffer, address, 1)) };
}

describe("WindowBarrier", () => {
  it("lets nobody pass before all have come, over and over, whatever their pace", async () => {
    const { barriers } = group({}, {}, {}, {});
    const come = [0, 0, 0, 0];
    const fewest = () => Math.min(...come);
    await Promise.all(
      barriers.map(async (barrier, rank) => {
        for (let sequence = 0; sequence < 50; sequence++) {
          // By turns another one is late.
          for (let turn = 0; turn < (rank + sequence) % 4; turn++) await new Promise(setImmediate);
          for (const phase of ["partial", "total"] as const) {
            come[rank] = (come[rank] ?? 0) + 1;
            const mine = come[rank] ?? 0;
            await barrier.pass(phase, sequence, never);
            expect(fewest()).toBeGreaterThanOrEqual(mine);
          }
        }
      }),
    );
    expect(come).toEqual([100, 100, 100, 100]);
  });

  it("goes on where another barrier on the same board ended, also where the count wraps around", async () => {
    const { barriers, words } = group({}, {});
    for (const word of words) Atomics.store(word, 0, 0x7fffffff);
    for (let sequence = 0; sequence < 3; sequence++)
      await Promise.all(barriers.map((barrier) => barrier.pass("partial", sequence, never)));
    expect(words.slice(0, 2).map((word) => word[0])).toEqual([-0x7ffffffe, -0x7ffffffe]);
  });

  const strangers: readonly { what: string; comer?: Comer; phase?: FramePhase; sequence?: number; problem: string }[] =
    [
      {
        what: "another generation",
        comer: { generation: 2 },
        problem: "an announcement of generation 2 in generation 1",
      },
      {
        what: "another model",
        comer: { layoutHash: "f".repeat(64) },
        problem: "its layout hash begins with ffffffffffffffff",
      },
      { what: "another step", sequence: 8, problem: "partial of exchange 8, expected partial of exchange 7" },
      { what: "another phase", phase: "total", problem: "total of exchange 7, expected partial of exchange 7" },
    ];
  it.each(strangers)("tells both when one comes for $what, by name", async (stranger) => {
    const { comer = {}, phase = "partial", sequence = 7, problem } = stranger;
    const { barriers } = group({}, comer);
    const outcomes = await Promise.all([
      failureWithCode("PROTOCOL_VIOLATION", () => barriers[0]?.pass("partial", 7, never)),
      failureWithCode("PROTOCOL_VIOLATION", () => barriers[1]?.pass(phase, sequence, never)),
    ]);
    expect(outcomes[0]).toMatchObject({ from: "worker rank 1", problem: expect.stringContaining(problem) });
    expect(outcomes[1]).toMatchObject({ from: "worker rank 0" });
  });

  it("ends with the reason when called off", async () => {
    const { barriers } = group({}, {});
    const reason = new Error("called off");
    const controller = new AbortController();
    const waiting = barriers[0]?.pass("partial", 0, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});
