import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseCollective } from "../../../../coordinator/group/choose-collective.js";
import type { GroupPolicy } from "../../../../coordinator/group/group-policy.js";
import { ringLinks } from "../../../../coordinator/group/ring-links.js";
import { WorkerRecord } from "../../../../coordinator/group/worker-record.js";
import { type ArenaJob, jobArenaDemand } from "../../../../shared/arena-demand.js";
import { arenaBytes } from "../../../../shared/arena-places.js";
import type { CollectiveName } from "../../../../shared/collective-choice.js";
import { type Payload, PLAIN_STEP, type StepRules } from "../../../../shared/step-rules.js";
import { arenaJob } from "../../../support/arena-job.js";
import { joinMessage } from "../../../support/control-client.js";

/** A worker of this memory domain; null: it can't share memory. */
function worker(memoryDomain: string | null, host = "h"): WorkerRecord {
  const memory = memoryDomain === null ? { memoryDomain, sharingProblem: "no memfd_create here" } : { memoryDomain };
  const join = { ...joinMessage("w", { token: "t", host }), ...memory, protocol: 1, sequence: 0 };
  return new WorkerRecord(join, null, 0);
}

const SIZE = arenaJob(1008);
const MPI = { collective: "mpi", transport: "tcp" } as const;
const multipleOf16 = (value: number): number => Math.floor(value / 16) * 16;
const workers = (...domains: (string | null)[]): WorkerRecord[] => domains.map((domain) => worker(domain));

describe("chooseCollective", () => {
  it.each([
    ["auto", workers("a"), "local", "one worker"],
    ["shm", workers("a"), "local", "one worker"],
    ["hierarchical", workers("a"), "local", "one worker"],
    ["auto", workers("a", null), "ring", "worker w can't share memory: no memfd_create here"],
    ["auto", workers("a", "b", "c"), "ring", "on a host or in a container of its own"],
    ["ring", workers("a", "a"), "ring", "ring was asked for"],
    ["shm", workers("a", "a"), "shm", "shm was asked for"],
    ["hierarchical", workers("a", "a", "b"), "hierarchical", "1 of 3 hops are inside a host"],
    ["hierarchical", workers("a", "b"), "hierarchical", "0 of 2 hops"],
    ["mpi", workers("a", "b"), "mpi", "mpi was asked for"],
    ["mpi", workers("a"), "local", "one worker"],
  ] as const)("%s of %o: settled", (collective, group, chosen, why) => {
    expect(chooseCollective({ collective, transport: "tcp", mpiMode: "ordered" }, group, SIZE)).toEqual({
      kind: "settled",
      collective: chosen,
      ordered: true,
      reason: expect.stringContaining(why),
    });
  });

  it.each([
    [workers("a", "a", "a"), ["shm", "hierarchical"], "shm or hierarchical by measurement, since all workers share"],
    [workers("a", "a", "b", "b"), ["hierarchical", "ring"], "since 2 of 4 hops are inside a host"],
    [workers("a", "a", null), ["hierarchical", "ring"], "since 1 of 3 hops are inside a host"],
  ] as const)("auto of %o: measured", (group, candidates, why) => {
    expect(chooseCollective({ collective: "auto", transport: "ipc", mpiMode: "ordered" }, group, SIZE)).toEqual({
      kind: "measure",
      candidates,
      reason: expect.stringContaining(why),
    });
  });
});

describe("chooseCollective, of workers that are apart", () => {
  const choose = (collective: GroupPolicy["collective"], transport: "tcp" | "ipc", group: readonly WorkerRecord[]) =>
    chooseCollective({ collective, transport, mpiMode: "ordered" }, group, SIZE);
  const noMemory = { collective: "shm", remedy: "Use --collective auto, hierarchical or ring" };
  const noFiles = { remedy: "Use --transport tcp" };

  it.each([
    ["shm", "tcp", workers("a", "a", "b"), noMemory],
    ["shm", "ipc", workers("a", null), { ...noMemory, problem: expect.stringContaining("(no memfd_create here)") }],
    ["ring", "ipc", workers("a", "b"), { ...noFiles, collective: "ring" }],
    ["auto", "ipc", workers("a", "b"), { ...noFiles, collective: "ring" }],
    ["parameter-server", "ipc", workers("a", "b"), { ...noFiles, collective: "parameter-server" }],
    [
      "ring",
      "ipc",
      [worker(null, "elsewhere"), worker("a")],
      { ...noFiles, problem: expect.stringMatching(/^worker w on elsewhere and worker w on h share no files/) },
    ],
  ] as const)("%s over %s of %o: refused by the names of two", (collective, transport, group, failure) => {
    const code = "COLLECTIVE_UNAVAILABLE";
    expect(choose(collective, transport, group)).toMatchObject({ kind: "impossible", failure: { code, ...failure } });
  });

  it.each([
    ["ring", "tcp", workers("a", "b"), "settled"],
    ["ring", "ipc", workers("a", null), "settled"],
    ["ring", "ipc", workers("a", "a"), "settled"],
    ["auto", "ipc", workers("a", "a", "b"), "measure"],
    ["hierarchical", "ipc", workers("a", "b"), "settled"],
    ["mpi", "ipc", workers("a", "b"), "settled"],
  ] as const)("%s over %s of %o: not refused", (collective, transport, group, kind) => {
    expect(choose(collective, transport, group).kind).toBe(kind);
  });
});

describe("chooseCollective, by size", () => {
  const choose = (paddedLength: number, replicas: number, changes: Partial<ArenaJob> = {}) =>
    chooseCollective(
      { collective: "auto", transport: "ipc", mpiMode: "ordered" },
      workers("a", "a"),
      arenaJob(paddedLength, { replicas, ...changes }),
    );
  const [shm, noShm] = [{ candidates: ["shm", "hierarchical"] }, { candidates: ["hierarchical", "ring"] }];
  const adam = { kind: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;
  const momentum = { kind: "momentum", learningRate: 0.1, momentum: 0.9 } as const;
  const rounds = { syncEvery: 4, outer: { learningRate: 1, momentum: 0 } };

  it("measures no shm where a window takes more than 2 GiB", () => {
    expect(choose(2 ** 26, 6)).toMatchObject(shm);
    expect(choose(2 ** 26 + 16, 6)).toMatchObject(noShm);
    expect(choose(2 ** 20, 600)).toMatchObject(noShm);
  });

  it.each([
    // Floats of a worker, of 2 ** 30: a window of 4 P, parameters 2 P, the ring's sums 2 P, and what is named.
    ["state of 4 P", { optimizer: adam }, 12],
    ["state of 2 P", { optimizer: momentum }, 10],
    ["state and a micro-batch, 5 P", { optimizer: adam, stepRules: { ...PLAIN_STEP, accumulate: 2 } }, 13],
    ["packed sums of P", { stepRules: { ...PLAIN_STEP, payload: { format: "bf16" } } }, 9],
    ["a replica's copy of 3 P", { optimizer: adam, stepRules: { ...PLAIN_STEP, rounds } }, 11],
  ] as const)("measures no shm where the window, %s and the rest exceed a worker's memory", (_, changes, arenas) => {
    const most = 2 ** 30 / arenas;
    expect(choose(multipleOf16(most * 0.999), 2, changes)).toMatchObject(shm);
    expect(choose(multipleOf16(most * 1.001), 2, changes)).toMatchObject(noShm);
  });

  it("promises no worker a window that its memory can't hold, and leaves none out that it can", () => {
    const job = fc.record({
      floats: fc.integer({ min: 2, max: 2 ** 24 }).map((sixteens) => sixteens * 16),
      replicas: fc.integer({ min: 2, max: 12 }),
      optimizer: fc.constantFrom(adam, momentum, { kind: "sgd", learningRate: 0.1 } as const),
      accumulate: fc.constantFrom(1, 4),
      payload: fc.constantFrom<Payload>({ format: "none" }, { format: "bf16" }),
      rounds: fc.constantFrom(null, rounds, { syncEvery: 65_536, outer: { learningRate: 0.7, momentum: 0.9 } }),
      workers: fc.nat(),
    });
    const property = fc.property(job, ({ floats, replicas, optimizer, accumulate, payload, rounds, workers: draw }) => {
      const stepRules: StepRules = { ...PLAIN_STEP, accumulate, payload, rounds };
      const big = arenaJob(floats, { replicas, optimizer, stepRules, dataset: { train: { rowCount: 10_000_000 } } });
      const worldSize = 2 + (draw % (replicas - 1));
      const group = workers(...Array.from({ length: worldSize }, () => "a"));
      const decision = chooseCollective({ collective: "auto", transport: "ipc", mpiMode: "ordered" }, group, big);
      if (decision.kind !== "measure") return expect.fail("there is something to measure");
      const bytesWith = (collectives: readonly CollectiveName[], rank: number) =>
        arenaBytes(jobArenaDemand(big, { rank, worldSize, isServer: rank === 0, collectives }));
      const ranks = group.map((_, rank) => rank);
      const fits = ranks.every((rank) => bytesWith(["shm", "hierarchical"], rank) <= 2 ** 32);
      const isSmall = (replicas + 2) * floats * 4 <= 2 ** 31;
      expect(decision.candidates.includes("shm")).toBe(fits && isSmall);
      // What is left out for want of room needs more than what is taken.
      for (const rank of ranks) {
        expect(bytesWith(["hierarchical", "ring"], rank)).toBeLessThan(bytesWith(["shm", "hierarchical"], rank));
      }
    });
    fc.assert(property, { numRuns: 500 });
  });
});

describe("ringLinks", () => {
  const group = workers("a", "a", "b", null);

  it("a hierarchical ring takes ipc inside a host and tcp between hosts, whatever was asked of the ring", () => {
    const links = ringLinks(group, { collectives: ["ring", "hierarchical"], transport: "ipc" });
    expect(links.map(({ transport }) => transport)).toEqual(["tcp", "ipc", "tcp", "tcp"]);
  });

  it("every other ring takes what was asked for", () => {
    const links = ringLinks(group, { collectives: ["ring"], transport: "ipc" });
    expect(links.map(({ transport }) => transport)).toEqual(["ipc", "ipc", "ipc", "ipc"]);
  });

  it("each hop has one opinion on whether its ends share memory", () => {
    const links = ringLinks(group, { collectives: [], transport: "tcp" });
    expect(links.map(({ sharesMemory }) => sharesMemory.withNext)).toEqual([true, false, false, false]);
    for (const [rank, { sharesMemory }] of links.entries()) {
      expect(sharesMemory.withPrevious).toBe(links.at(rank - 1)?.sharesMemory.withNext);
    }
  });

  it("workers that share no memory don't share it with each other either", () => {
    const links = ringLinks(workers(null, null), { collectives: ["hierarchical"], transport: "tcp" });
    expect(links.every(({ sharesMemory }) => !sharesMemory.withNext && !sharesMemory.withPrevious)).toBe(true);
  });
});

describe("chooseCollective, mpi", () => {
  it("says that MPI's own all-reduce keeps no order", () => {
    const choice = chooseCollective({ ...MPI, mpiMode: "allreduce" }, workers("a", "a"), SIZE);
    expect(choice).toMatchObject({ kind: "settled", collective: "mpi", ordered: false });
    expect(choice).toMatchObject({ reason: expect.stringContaining("allreduce") });
  });
});
