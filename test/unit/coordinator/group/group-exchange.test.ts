import { describe, expect, it } from "vitest";
import { GroupExchange, type SettledCollective } from "../../../../coordinator/group/group-exchange.js";
import { GroupMember } from "../../../../coordinator/group/group-member.js";
import type { GroupPolicy } from "../../../../coordinator/group/group-policy.js";
import { WorkerRecord } from "../../../../coordinator/group/worker-record.js";
import type { MeasuredChoice } from "../../../../shared/collective-choice.js";
import { PLAIN_STEP, type StepRules } from "../../../../shared/step-rules.js";
import { arenaJob } from "../../../support/arena-job.js";
import { joinMessage } from "../../../support/control-client.js";

const CHOICE: MeasuredChoice = {
  collective: "hierarchical",
  payloadBytes: 1000,
  candidates: [
    { collective: "shm", latencyMs: 1, bandwidthBps: null, expectedMs: 2 },
    { collective: "hierarchical", latencyMs: 0.5, bandwidthBps: null, expectedMs: 1.5 },
  ],
};

function exchangeOf(
  workers: number,
  collective: GroupPolicy["collective"] = "auto",
  stepRules: StepRules = PLAIN_STEP,
) {
  const members = Array.from({ length: workers }, (_, rank) => {
    const join = { ...joinMessage(`w${rank}`, { token: "t" }), protocol: 1, sequence: 0 };
    return new GroupMember(new WorkerRecord(join, null, 0), { workerId: `w${rank}`, rank, replicas: [rank] });
  });
  const news: SettledCollective[] = [];
  const policy = { collective, transport: "tcp", mpiMode: "ordered" } as const;
  const spec = arenaJob(32, { replicas: workers, stepRules });
  const exchange = new GroupExchange({ generation: 1, members, policy, spec, settled: (one) => news.push(one) });
  exchange.begin();
  return { exchange, members, news };
}

describe("GroupExchange", () => {
  it("says that what leaves gradients out does not fold in the canonical order, on one worker either", () => {
    const topk: StepRules = { ...PLAIN_STEP, payload: { format: "topk", fraction: 0.01 } };
    for (const workers of [1, 2]) {
      expect(exchangeOf(workers, "ring", topk).exchange.settled).toMatchObject({ ordered: false });
      expect(exchangeOf(workers, "ring").exchange.settled).toMatchObject({ ordered: true });
    }
  });

  it.each([1, 2])("of %i workers that are asynchronous folds nothing in the canonical order", (workers) => {
    const { news } = exchangeOf(workers, "parameter-server", { ...PLAIN_STEP, mostStepsAhead: 3 });
    const collective = workers === 1 ? "local" : "parameter-server";
    expect(news).toEqual([{ generation: 1, collective, ordered: false, reason: null, measured: null }]);
  });

  it("is settled by the first worker that says what was measured, once", () => {
    const { exchange, members, news } = exchangeOf(2);
    expect([exchange.settled, news]).toEqual([null, []]);
    expect(exchange.collectives).toEqual(["shm", "hierarchical"]);
    for (const member of members) expect(exchange.measured(member, structuredClone(CHOICE))).toBeNull();
    expect(exchange.settled).toMatchObject({ collective: "hierarchical", ordered: true });
    const reason = expect.stringMatching(/^hierarchical, since an exchange of 1\.00 kB is expected to take 1\.5 ms/);
    expect(news).toEqual([{ generation: 1, collective: "hierarchical", ordered: true, reason, measured: CHOICE }]);
  });

  it("fails by name when workers come to different choices", () => {
    const { exchange, members } = exchangeOf(2);
    const [first, second] = members as [GroupMember, GroupMember];
    exchange.measured(first, CHOICE);
    const failure = exchange.measured(second, { ...CHOICE, collective: "shm" });
    expect(failure).toMatchObject({ code: "WORKERS_DIVERGED", what: "measured collectives" });
    expect(Object.keys(failure?.code === "WORKERS_DIVERGED" ? failure.hashes : {})).toEqual(["rank 0", "rank 1"]);
  });

  it.each([
    ["what was asked for", 2, "hierarchical", "hierarchical"],
    ["a group of one", 1, "auto", "local"],
  ] as const)("settles %s at once, and has nothing to tell of it", (_, workers, collective, settled) => {
    const { exchange, news } = exchangeOf(workers, collective);
    expect(exchange.settled?.collective).toBe(settled);
    expect(news).toEqual([{ generation: 1, collective: settled, ordered: true, reason: null, measured: null }]);
  });

  it("has a failure, and never settles, where workers are too far apart for what was asked", () => {
    const members = ["a", "b"].map((memoryDomain, rank) => {
      const join = { ...joinMessage(`w${rank}`, { token: "t" }), memoryDomain, protocol: 1, sequence: 0 };
      return new GroupMember(new WorkerRecord(join, null, 0), { workerId: `w${rank}`, rank, replicas: [rank] });
    });
    const policy = { collective: "shm", transport: "ipc", mpiMode: "ordered" } as const;
    const spec = arenaJob(32, { replicas: 2 });
    const settled = () => expect.fail("nothing is settled");
    const exchange = new GroupExchange({ generation: 1, members, policy, spec, settled });
    exchange.begin();
    expect(exchange.failure).toMatchObject({ code: "COLLECTIVE_UNAVAILABLE", collective: "shm" });
    expect(exchange.settled).toBeNull();
    expect(exchangeOf(2).exchange.failure).toBeNull();
  });

  it("tells a group of one something too, which it doesn't use", () => {
    expect(exchangeOf(1).exchange.collectives).toEqual(["ring"]);
  });
});
