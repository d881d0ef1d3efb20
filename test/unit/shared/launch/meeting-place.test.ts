import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LaunchedPlace } from "../../../../shared/launch/launched-place.js";
import { meetingPlace } from "../../../../shared/launch/meeting-place.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const STEP = { SLURM_JOB_ID: "17", SLURM_STEP_ID: "0", SLURM_STEP_NODELIST: "node[3-4]", SLURM_NODEID: "0" };

function rank(number: number, more: Partial<LaunchedPlace> = {}): LaunchedPlace {
  return {
    launcher: "slurm",
    rank: number,
    worldSize: 4,
    localRank: number % 2,
    localSize: 2,
    isOneHost: false,
    ...more,
  };
}

describe("meetingPlace", () => {
  it("is the step's first host, on the same ports for all ranks", () => {
    const first = meetingPlace(rank(0), STEP);
    const last = meetingPlace(rank(3), { ...STEP, SLURM_NODEID: "1" });
    expect(first).toMatchObject({ host: "node3", peer: "node4", isHere: true });
    expect(last).toEqual({ ...first, isHere: false });
    expect(first.ports).toHaveLength(8);
  });

  it("is apart from other jobs, steps and attempts, on ports that no outgoing connection takes", () => {
    fc.assert(
      fc.property(fc.nat(1e7), fc.nat(20), fc.nat(5), (job, step, restart) => {
        const of = (restarts: number) =>
          meetingPlace(rank(0), {
            ...STEP,
            SLURM_JOB_ID: `${job}`,
            SLURM_STEP_ID: `${step}`,
            SLURM_RESTART_COUNT: `${restarts}`,
          });
        const { ports, scope } = of(restart);
        expect(Math.min(...ports)).toBeGreaterThanOrEqual(15_000);
        expect(Math.max(...ports)).toBeLessThan(32_768);
        expect(new Set(ports).size).toBe(8);
        expect(of(restart + 1).scope).not.toBe(scope);
      }),
    );
  });

  it("is where MASTER_ADDR and MASTER_PORT say, under Slurm and torchrun", () => {
    const master = { MASTER_ADDR: "10.0.0.7", MASTER_PORT: "65530" };
    for (const launcher of ["slurm", "torchrun"] as const) {
      const place = meetingPlace(rank(2, { launcher, localRank: 0 }), { ...STEP, ...master });
      expect(place).toMatchObject({
        host: "10.0.0.7",
        isHere: false,
        ports: [65530, 65531, 65532, 65533, 65534, 65535],
      });
    }
  });

  it("is the pod of index 0, on ports that all pods tell alike", () => {
    const pod = (number: number, master: Record<string, string> = {}) =>
      meetingPlace(rank(number, { launcher: "kubernetes", localRank: null }), {
        MASTER_ADDR: "train-0.train",
        ...master,
      });
    const first = pod(0);
    expect(first).toMatchObject({ host: "train-0.train", isHere: true, peer: null });
    expect(pod(3)).toEqual({ ...first, isHere: false });
    expect(pod(3, { MASTER_PORT: "29400" }).ports[0]).toBe(29_400);
  });

  it("can't be told by pods that don't know the name of the first", async () => {
    const one = rank(1, { launcher: "kubernetes", localRank: null });
    const failure = await failureWithCode("USAGE", () => meetingPlace(one, {}));
    expect(failure).toMatchObject({ option: "MASTER_ADDR", problem: expect.stringContaining("pod of index 0") });
  });

  it("is this host alone for ranks of one host", () => {
    expect(meetingPlace(rank(1, { isOneHost: true }), STEP)).toMatchObject({ host: null, isHere: true, peer: null });
  });

  it.each([
    [{ SLURM_STEP_NODELIST: undefined }, 1, "SLURM_JOB_NODELIST", "it is missing"],
    [{ SLURM_STEP_NODELIST: "node[3" }, 1, "SLURM_STEP_NODELIST", '"node[3" is no list'],
    [{ SLURM_STEP_NODELIST: "node3" }, 1, "SLURM_STEP_NODELIST", '"node3" is no list of several hosts'],
    [{ SLURM_NODEID: "1" }, 0, "SLURM_NODEID", "rank 0 is on node 1"],
    [{ MASTER_PORT: "http" }, 1, "MASTER_PORT", '"http" is no port'],
  ])("refuses %j by name", async (variables, number, option, problem) => {
    const failure = await failureWithCode("USAGE", () => meetingPlace(rank(number), { ...STEP, ...variables }));
    expect(failure).toMatchObject({ option, problem: expect.stringContaining(problem) });
    expect(failure.remedy).toContain("MASTER_ADDR");
  });
});
