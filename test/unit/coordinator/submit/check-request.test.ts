import { describe, expect, it } from "vitest";
import type { BatchRequest } from "../../../../coordinator/submit/batch-request.js";
import { checkRequest } from "../../../../coordinator/submit/check-request.js";
import { parseNodes } from "../../../../coordinator/submit/slurm-nodes.js";
import { parseSlurmTime } from "../../../../coordinator/submit/slurm-time.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

/** As `sinfo` writes it: two partitions, one of them with a node that is down, and one that takes no jobs. */
const SINFO = `main*|up|node1|4|gpu:2|idle|1-00:00:00
main*|up|node2|8|gpu:a100:4(S:0-1)|mix|1-00:00:00
main*|up|node3|8+|(null)|down*|1-00:00:00
gpu|up|node2|8|gpu:a100:4(S:0-1),gpu:t4:2,fs:1|mix|infinite
old|down|node9|2|(null)|idle|30:00
`;
const NODES = parseNodes(SINFO) ?? [];
const SMALL: BatchRequest = {
  jobName: "net",
  nodes: 1,
  tasksPerNode: 1,
  cpusPerTask: 1,
  gpusPerNode: 0,
  partition: null,
  account: null,
  time: null,
};

describe("checkRequest", () => {
  it.each([
    [{}],
    [{ nodes: 2, tasksPerNode: 4, time: "24:00:00" }],
    [{ nodes: 2, tasksPerNode: 2, gpusPerNode: 2 }],
    [{ partition: "gpu", tasksPerNode: 6, gpusPerNode: 6, time: "30-0" }],
  ])("has nothing against %j", (wish) => {
    expect(checkRequest({ ...SMALL, ...wish }, NODES)).toEqual([]);
  });

  it("says what makes a job wait", () => {
    expect(checkRequest({ ...SMALL, nodes: 3 }, NODES)).toEqual([
      "the job will wait: 2 of the 3 nodes of partition main can be used now",
    ]);
  });

  it.each([
    [{ partition: "night" }, "--partition", "no partition night", "Choose one of gpu, main, old"],
    [{ partition: "old" }, "--partition", "partition old takes no jobs", "gpu, main"],
    [{ nodes: 4 }, "--nodes", "partition main has 3 nodes, 4 are asked for", "at most 3"],
    [{ nodes: 2, tasksPerNode: 3, cpusPerTask: 3 }, "--tasks-per-node", "3 × 3 = 9 cores", "at most 8"],
    [{ nodes: 2, gpusPerNode: 3 }, "--gpus-per-node", "2 nodes of partition main can have 2", "at most 2"],
    [
      { nodes: 3, gpusPerNode: 1 },
      "--gpus-per-node",
      "3 nodes of partition main can have 0",
      "another partition: gpu, main",
    ],
    [{ time: "1-00:00:01" }, "--time", "more than the 1440 minutes that partition main allows", "Ask for less"],
  ])("refuses %j", async (wish, option, problem, remedy) => {
    const failure = await failureWithCode("BATCH_REFUSED", () => checkRequest({ ...SMALL, ...wish }, NODES));
    expect(failure).toMatchObject({
      option,
      problem: expect.stringContaining(problem),
      remedy: expect.stringContaining(remedy),
    });
  });

  it("says so where no partition is the default", async () => {
    const nodes = NODES.map((node) => ({ ...node, isDefault: false }));
    const failure = await failureWithCode("BATCH_REFUSED", () => checkRequest(SMALL, nodes));
    expect(failure.problem).toBe("this cluster has no default partition");
  });
});

describe("parseNodes", () => {
  it("refuses what isn't sinfo's", () => {
    expect(parseNodes("main*|up|node1\n")).toBeNull();
    expect(parseNodes("main*|up|node1|many|(null)|idle|infinite\n")).toBeNull();
  });
});

describe("parseSlurmTime", () => {
  it.each([
    ["90", 5400],
    ["1:30", 90],
    ["1:30:00", 5400],
    ["2-12", 216_000],
    ["2-12:30", 217_800],
    ["2-12:00:01", 216_001],
    ["infinite", Number.POSITIVE_INFINITY],
    ["UNLIMITED", Number.POSITIVE_INFINITY],
    ["", Number.NaN],
    ["soon", Number.NaN],
    ["1:2:3:4", Number.NaN],
    ["-5", Number.NaN],
  ])("%s is %d s", (text, seconds) => {
    expect(parseSlurmTime(text)).toBe(seconds);
  });
});
