import { describe, expect, it } from "vitest";
import { parseAccounted, parseJobs } from "../../../../coordinator/batch/slurm-jobs.js";

describe("parseJobs", () => {
  it("reads what squeue of Slurm 22.05 says", () => {
    const squeue = `12|PENDING|0|Resources|ringstrasse-a-1     |
13|RUNNING|0|None|net|
14|FAILED|768|NonZeroExitCode|a | b  |
15|CANCELLED|15|None|net|
16|TIMEOUT|0|TimeLimit|net|
17|COMPLETING|0|None|net|
18|REQUEUE_HOLD|0|launch failed requeued held|net|
`;
    expect(parseJobs(squeue)).toEqual([
      { id: "12", name: "ringstrasse-a-1", state: { kind: "waiting", reason: "Resources" } },
      { id: "13", name: "net", state: { kind: "running" } },
      { id: "14", name: "a|b", state: { kind: "ended", state: "FAILED", exitCode: 3 } },
      { id: "15", name: "net", state: { kind: "ended", state: "CANCELLED", exitCode: null } },
      { id: "16", name: "net", state: { kind: "ended", state: "TIMEOUT", exitCode: 0 } },
      { id: "17", name: "net", state: { kind: "running" } },
      { id: "18", name: "net", state: { kind: "waiting", reason: "launch failed requeued held" } },
    ]);
    expect(parseJobs("")).toEqual([]);
  });

  it.each(["slurm_load_jobs error", "12|RUNNING", "x|RUNNING|0|None|net|"])("takes %j for something else", (output) => {
    expect(parseJobs(output)).toBeNull();
  });
});

describe("parseAccounted", () => {
  it("reads what sacct says, and leaves steps out", () => {
    const sacct = "12|COMPLETED|0:0\n12.batch|COMPLETED|0:0\n13|CANCELLED by 0|0:15\n14|FAILED|5:0\n15|NODE_FAIL|0:0\n";
    expect([...parseAccounted(sacct)]).toEqual([
      ["12", { kind: "ended", state: "COMPLETED", exitCode: 0 }],
      ["13", { kind: "ended", state: "CANCELLED", exitCode: null }],
      ["14", { kind: "ended", state: "FAILED", exitCode: 5 }],
      ["15", { kind: "ended", state: "NODE_FAIL", exitCode: 0 }],
    ]);
  });
});
