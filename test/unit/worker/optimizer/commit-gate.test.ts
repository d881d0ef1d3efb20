import { describe, expect, it } from "vitest";
import { CommitGate } from "../../../../worker/optimizer/commit-gate.js";

describe("CommitGate", () => {
  it("flips only a whole update", () => {
    const gate = new CommitGate(64);
    gate.begin(1, 1);
    gate.arrived(1, 1);
    gate.wrote(0, 32);
    expect(() => gate.commit({ epoch: 1, step: 1 })).toThrow("32 of 64");
    expect(gate.current).toBe(0);
    gate.wrote(32, 32);
    gate.commit({ epoch: 1, step: 1 });
    expect(gate).toMatchObject({ current: 1, shadow: 0, position: { epoch: 1, step: 1 } });
  });

  it("goes on after a step that was left out, with the copies as they were", () => {
    const gate = new CommitGate(16);
    gate.begin(1, 1);
    expect(() => gate.leaveOut({ epoch: 1, step: 1 })).toThrow("before its sums have arrived");
    gate.arrived(1, 1);
    gate.wrote(0, 16);
    gate.leaveOut({ epoch: 1, step: 1 });
    expect(gate).toMatchObject({ current: 0, shadow: 1, position: { epoch: 1, step: 1 } });
    gate.begin(2, 1);
    gate.arrived(2, 1);
    gate.wrote(0, 16);
    gate.commit({ epoch: 1, step: 2 });
    expect(gate.current).toBe(1);
  });

  it("refuses what arrives for another step or generation", () => {
    const gate = new CommitGate(16);
    gate.begin(1, 2);
    expect(() => gate.arrived(2, 2)).toThrow("step 2");
    expect(() => gate.arrived(1, 1)).toThrow("generation 1");
    expect(() => gate.wrote(0, 16)).toThrow("before the sums");
  });

  it("commits a round of several steps at its last one", () => {
    const gate = new CommitGate(16, { epoch: 1, step: 4 });
    expect(() => gate.begin(6, 1, 1)).toThrow("step 6 can't follow committed step 4");
    expect(() => gate.begin(4, 1, 0)).toThrow("can't follow");
    gate.begin(7, 1, 3);
    expect(() => gate.arrived(6, 1)).toThrow("step 6");
    gate.arrived(7, 1);
    gate.wrote(0, 16);
    gate.commit({ epoch: 1, step: 7 });
    expect(gate).toMatchObject({ current: 1, position: { epoch: 1, step: 7 } });
  });

  it("refuses a gap in the shadow copies and a step out of turn", () => {
    const gate = new CommitGate(32);
    expect(() => gate.begin(2, 1)).toThrow("can't follow");
    gate.begin(1, 1);
    gate.arrived(1, 1);
    expect(() => gate.wrote(16, 16)).toThrow("left out");
  });
});
