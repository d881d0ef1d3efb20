import { describe, expect, it } from "vitest";
import { tooFew } from "../../../../coordinator/group/group-failures.js";

const late = { joined: 2, expected: 4, waitedMs: 1000, endpoint: null, ranks: null };

describe("tooFew", () => {
  it("says how to start the others where that is done by hand", () => {
    expect(tooFew({ ...late, endpoint: "tcp://h:1" })).toMatchObject({
      problem: expect.stringMatching(/^start the missing ones with: ringstrasse worker --coordinator tcp:\/\/h:1;/),
    });
  });

  it("says that all were started where workers have no ranks yet", () => {
    expect(tooFew(late)).toMatchObject({ problem: expect.stringMatching(/^all were started;.*--join-timeout$/) });
  });

  it("names the ranks that are missing, and the hosts of those that have begun", () => {
    const ranks = { joined: [3, 0], begun: new Map([[2, "node7"]]) };
    expect(tooFew({ ...late, ranks })).toMatchObject({
      problem: expect.stringMatching(
        /^missing: rank 1 \(not heard of\), rank 2 \(started on node7\); .*--join-timeout$/,
      ),
    });
  });

  it("counts those beyond the first eight", () => {
    const ranks = { joined: [1], begun: new Map<number, string>() };
    expect(tooFew({ ...late, joined: 1, expected: 512, ranks })).toMatchObject({
      problem: expect.stringMatching(/^missing: rank 0 .*, rank 8 \(not heard of\) and 503 more;/),
    });
  });
});
