import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WorkerRecord } from "../../../../coordinator/group/worker-record.js";
import {
  chooseWorkers,
  compatibleWorkers,
  type WorkerDecision,
  workersFor,
} from "../../../../coordinator/serve/choose-workers.js";
import type { EngineWish } from "../../../../shared/engine-name.js";
import type { EngineFacts } from "../../../../shared/protocol/control-message.js";
import { PRECISIONS } from "../../../../shared/step-rules.js";
import { ENGINE, joinMessage } from "../../../support/control-client.js";

function worker(id: string, host = "a", version = "1"): WorkerRecord {
  return workerWith(id, [{ ...ENGINE, version }], host);
}

function workerWith(id: string, engines: readonly EngineFacts[], host = "a"): WorkerRecord {
  const join = joinMessage(id, { token: "t", host, engines });
  return new WorkerRecord({ ...join, protocol: 1, sequence: 0 }, null, 0);
}

/** How many hosts it takes at least, `hosts` naming each idle worker's. */
function hostsNeeded(hosts: readonly string[], count: number): number {
  const sizes = [...new Set(hosts)].map((host) => hosts.filter((other) => other === host).length);
  let room = 0;
  const largestFirst = sizes.sort((a, b) => b - a);
  for (const [index, size] of largestFirst.entries()) {
    room += size;
    if (room >= count) return index + 1;
  }
  throw new RangeError("there are too few workers");
}

const ids = (workers: readonly WorkerRecord[] | null) => workers?.map(({ workerId }) => workerId) ?? null;

describe("compatibleWorkers", () => {
  it("takes the largest set with one engine; of two equal ones the first", () => {
    const mixed = [worker("a", "h", "1"), worker("b", "h", "2"), worker("c", "h", "2"), worker("d", "h", "1")];
    expect(ids(compatibleWorkers([...mixed, worker("e", "h", "2")]))).toEqual(["b", "c", "e"]);
    expect(ids(compatibleWorkers(mixed))).toEqual(["a", "d"]);
    expect(compatibleWorkers([])).toEqual([]);
  });
});

const NEED = { engine: "auto", threads: 1, precision: "float32" } as const;
const TENSORFLOW: EngineFacts = { ...ENGINE, name: "tensorflow" };
const free = () => true;

function chosen(decision: WorkerDecision): readonly WorkerRecord[] | null {
  return decision.kind === "chosen" ? decision.workers : null;
}

describe("chooseWorkers", () => {
  it("stays on one host where it can, the one that fits most closely", () => {
    const idle = [worker("a1", "a"), worker("b1", "b"), worker("a2", "a"), worker("a3", "a"), worker("b2", "b")];
    const get = (count: number) => chooseWorkers({ ...NEED, count }, idle, free);
    expect(ids(chosen(get(2)))).toEqual(["b1", "b2"]);
    expect(ids(chosen(get(3)))).toEqual(["a1", "a2", "a3"]);
    expect(ids(chosen(get(4)))).toEqual(["a1", "a2", "a3", "b1"]);
    expect(get(6)).toEqual({ kind: "busy", idle: 5 });
  });

  it("gives as many different idle workers as were asked for, from no more hosts than needed", () => {
    const idleWorkers = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });
    fc.assert(
      fc.property(idleWorkers, fc.integer({ min: 1, max: 12 }), (hosts, count) => {
        const idle = hosts.map((host, index) => worker(`w${index}`, host));
        const given = chosen(chooseWorkers({ ...NEED, count }, idle, free));
        expect(new Set(given ?? []).size).toBe(count > idle.length ? 0 : count);
        expect(given === null).toBe(count > idle.length);
        expect(new Set(given?.map(({ join }) => join.host)).size).toBe(given === null ? 0 : hostsNeeded(hosts, count));
      }),
    );
  });

  it("auto: the fastest engine that enough idle workers have alike; by name: that one, or nothing", () => {
    const both = [TENSORFLOW, ENGINE];
    const here = [workerWith("a", [ENGINE]), workerWith("b", both), workerWith("c", both), workerWith("d", [ENGINE])];
    const get = (count: number, engine: EngineWish) => chooseWorkers({ ...NEED, count, engine }, here, free);
    expect(get(2, "auto")).toMatchObject({ kind: "chosen", engine: TENSORFLOW });
    expect(ids(chosen(get(2, "auto")))).toEqual(["b", "c"]);
    expect(get(3, "auto")).toMatchObject({ kind: "chosen", engine: ENGINE });
    expect(ids(chosen(get(4, "wasm")))).toEqual(["a", "b", "c", "d"]);
    expect(get(3, "tensorflow")).toMatchObject({
      kind: "impossible",
      failure: { code: "ENGINE_UNAVAILABLE", engine: "tensorflow", problem: expect.stringMatching(/^worker a on a /) },
    });
    expect(ids(compatibleWorkers(here))).toEqual(["a", "b", "c", "d"]);
  });

  it("what only busy workers have is waited for; other processors and other threads are no match", () => {
    const slow = { ...TENSORFLOW, instructionSet: "avx/x64" };
    const here = [workerWith("a", [TENSORFLOW]), workerWith("b", [slow]), workerWith("c", [TENSORFLOW])];
    const need = { ...NEED, engine: "tensorflow", count: 2 } as const;
    expect(ids(chosen(chooseWorkers(need, here, free)))).toEqual(["a", "c"]);
    expect(chooseWorkers(need, here, ({ workerId }) => workerId !== "c")).toEqual({ kind: "busy", idle: 1 });
    expect(chooseWorkers({ ...need, count: 3 }, here, free)).toMatchObject({
      kind: "impossible",
      failure: { code: "WORKER_REFUSED", workerId: "b", what: "the instruction set" },
    });
    expect(chooseWorkers({ ...need, threads: 2 }, here, free)).toMatchObject({
      kind: "impossible",
      failure: { code: "ENGINE_UNAVAILABLE", remedy: expect.stringMatching(/--threads 2/) },
    });
  });
});

describe("workersFor", () => {
  const GPU: EngineFacts = { ...ENGINE, name: "tensorflow-gpu" };
  const here = [...["a", "b", "c", "d"].map((id) => workerWith(id, [ENGINE])), workerWith("g", [GPU])];
  const wanted = (min: number, engine: EngineWish, threads = 1) => ({ ...NEED, min, max: min, engine, threads });

  it("tells each job of the workers that have its engine alike", () => {
    const idle =
      (...ids: string[]) =>
      ({ workerId }: WorkerRecord) =>
        ids.includes(workerId);
    expect(workersFor(wanted(1, "tensorflow-gpu"), here, idle("a", "b", "c", "d"))).toEqual({ present: 1, idle: 0 });
    expect(workersFor(wanted(1, "tensorflow-gpu"), here, idle("g"))).toEqual({ present: 1, idle: 1 });
    expect(workersFor(wanted(2, "wasm"), here, idle("a", "g"))).toEqual({ present: 4, idle: 1 });
    expect(workersFor(wanted(1, "auto"), here, idle("g"))).toEqual({ present: 4, idle: 1 });
    expect(workersFor(wanted(2, "auto"), here, idle("g"))).toEqual({ present: 4, idle: 0 });
    expect(workersFor(wanted(5, "auto"), here, free)).toEqual({ present: 4, idle: 4 });
    expect(workersFor(wanted(1, "auto"), [], free)).toEqual({ present: 0, idle: 0 });
  });

  it("counts only those with the precision", () => {
    const mixed = { ...wanted(1, "auto"), precision: "bfloat16" } as const;
    expect(workersFor(mixed, here, free)).toEqual({ present: 1, idle: 1 });
    expect(ids(chosen(chooseWorkers({ ...mixed, count: 1 }, here, free)))).toEqual(["g"]);
    expect(chooseWorkers({ ...mixed, count: 1 }, here, ({ workerId }) => workerId !== "g")).toEqual({
      kind: "busy",
      idle: 0,
    });
    expect(chooseWorkers({ ...mixed, count: 1 }, here.slice(0, 4), free)).toMatchObject({
      kind: "impossible",
      failure: { code: "CHOICE_UNSUPPORTED", value: "bfloat16" },
    });
  });

  it("counts all where nobody has the engine: the run says what is missing", () => {
    expect(workersFor(wanted(1, "tensorflow"), here, free)).toEqual({ present: 4, idle: 4 });
    expect(workersFor(wanted(2, "tensorflow-gpu"), here, free)).toEqual({ present: 4, idle: 4 });
    expect(workersFor(wanted(1, "auto", 2), here, free)).toEqual({ present: 4, idle: 4 });
  });

  it("promises no workers that can't be chosen", () => {
    const engines = fc.constantFrom([ENGINE], [GPU], [GPU, ENGINE], [TENSORFLOW, ENGINE], [{ ...GPU, version: "2" }]);
    const workers = fc.array(fc.tuple(engines, fc.boolean()), { maxLength: 10 });
    const wish = fc.record({
      engine: fc.constantFrom<EngineWish>("auto", "wasm", "tensorflow", "tensorflow-gpu"),
      precision: fc.constantFrom(...PRECISIONS),
    });
    fc.assert(
      fc.property(workers, wish, fc.integer({ min: 1, max: 6 }), (all, { engine, precision }, min) => {
        const records = all.map(([has], index) => workerWith(`w${index}`, has));
        const isFree = (worker: WorkerRecord) => all[records.indexOf(worker)]?.[1] === true;
        const { present, idle } = workersFor({ ...wanted(min, engine), precision }, records, isFree);
        expect(idle).toBeLessThanOrEqual(present);
        if (idle < min) return;
        const decision = chooseWorkers({ ...NEED, engine, precision, count: idle }, records, isFree);
        expect(decision.kind === "chosen" || decision.kind === "impossible").toBe(true);
      }),
    );
  });
});
