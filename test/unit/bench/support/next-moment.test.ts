import { describe, expect, it } from "vitest";
import { nextMoment } from "../../../../bench/support/next-moment.js";

const NONE = { upload: 0, training: 0, storing: 0 };
const ALL = { upload: 1, training: 1, storing: 1 };

describe("nextMoment", () => {
  it("takes turns until all kills are done", () => {
    const moments = [0, 1, 2, 3, 4, 5].map((done) => nextMoment({ done, kills: 5, met: ALL }));
    expect(moments).toEqual(["upload", "training", "storing", "any", "upload", null]);
  });

  it.each([3, 4, 50])("aims again at what none of %i kills has met", (kills) => {
    expect(nextMoment({ done: kills, kills, met: { ...ALL, storing: 0 } })).toBe("storing");
    expect(nextMoment({ done: kills + 1, kills, met: ALL })).toBeNull();
  });

  it("gives up in the end", () => {
    expect(nextMoment({ done: 22, kills: 3, met: NONE })).toBe("upload");
    expect(nextMoment({ done: 23, kills: 3, met: NONE })).toBeNull();
  });

  it("is content with fewer kills than there are kinds of moments", () => {
    expect(nextMoment({ done: 2, kills: 2, met: NONE })).toBeNull();
  });
});
