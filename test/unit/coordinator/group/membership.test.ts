import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideMembership, type Member } from "../../../../coordinator/group/membership.js";

const policy = { workers: 2, replicas: 5, joinTimeoutMs: 1000 };
const member = (workerId: string, host = "h", localIndex: number | null = null, memoryDomain = host): Member => ({
  workerId,
  host,
  memoryDomain,
  localIndex,
  fixedRank: null,
});
const rankMember = (workerId: string, host: string, localIndex: number, fixedRank: number): Member => ({
  ...member(workerId, host, localIndex),
  fixedRank,
});

describe("decideMembership", () => {
  it("waits, and says for what", () => {
    expect(decideMembership(10, [member("a")], policy)).toEqual({ kind: "wait", reason: "1 of 2 workers have joined" });
  });

  it("leaves ranks that a launcher has fixed as they are, on whatever hosts", () => {
    const ranks = [rankMember("a", "h2", 0, 1), rankMember("b", "h1", 2, 2), rankMember("c", "h3", 1, 0)];
    const decision = decideMembership(0, ranks, { ...policy, workers: 3 });
    expect(decision).toMatchObject({
      kind: "form",
      assignments: [{ workerId: "c" }, { workerId: "a" }, { workerId: "b" }],
    });
  });

  it("gives up when the time is over", () => {
    expect(decideMembership(1000, [member("a")], policy).kind).toBe("giveUp");
  });

  it("gives contiguous arcs in the order of hosts and launch", () => {
    const members = [member("z", "h2", 0), member("b", "h1", 1), member("a", "h1", 0)];
    const decision = decideMembership(5000, members, { ...policy, workers: 3 });
    expect(decision).toMatchObject({
      kind: "form",
      assignments: [
        { workerId: "a", rank: 0, replicas: [0, 1] },
        { workerId: "b", rank: 1, replicas: [2, 3] },
        { workerId: "z", rank: 2, replicas: [4] },
      ],
    });
  });

  it("makes neighbours of those that share memory, also where containers of several machines bear one name", () => {
    const members = [member("a", "box", 0, "m2"), member("b", "box", 0, "m1"), member("c", "box", 1, "m2")];
    const all = [...members, member("d", "box", 1, "m1")];
    const decision = decideMembership(0, all, { ...policy, workers: 4 });
    if (decision.kind !== "form") throw new Error(decision.reason);
    expect(decision.assignments.map(({ workerId }) => workerId)).toEqual(["b", "d", "a", "c"]);
  });

  it("gives every replica to exactly one worker, whatever the order of joining", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 20 }),
        fc.infiniteStream(fc.nat()),
        (workers, more, seeds) => {
          const members = Array.from({ length: workers }, (_, index) => member(`w${index}`, `h${index % 3}`, index));
          const keys = new Map(members.map((one) => [one.workerId, seeds.next().value ?? 0]));
          const joined = [...members].sort((a, b) => (keys.get(a.workerId) ?? 0) - (keys.get(b.workerId) ?? 0));
          const inOrder = decideMembership(0, members, { workers, replicas: workers + more, joinTimeoutMs: 1 });
          expect(decideMembership(0, joined, { workers, replicas: workers + more, joinTimeoutMs: 1 })).toEqual(inOrder);
          if (inOrder.kind !== "form") throw new Error("not formed");
          const replicas = inOrder.assignments.flatMap((assignment) => assignment.replicas);
          expect(replicas).toEqual(Array.from({ length: workers + more }, (_, index) => index));
        },
      ),
    );
  });
});
