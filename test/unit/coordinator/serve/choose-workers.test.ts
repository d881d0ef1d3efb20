import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WorkerRecord } from "../../../../coordinator/group/worker-record.js";
import { chooseWorkers, compatibleWorkers } from "../../../../coordinator/serve/choose-workers.js";
import { ENGINE, joinMessage } from "../../../support/control-client.js";

function worker(id: string, host = "a", version = "1"): WorkerRecord {
  const join = joinMessage(id, { token: "t", host, engine: { ...ENGINE, version } });
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

describe("chooseWorkers", () => {
  it("stays on one host where it can, the one that fits most closely", () => {
    const idle = [worker("a1", "a"), worker("b1", "b"), worker("a2", "a"), worker("a3", "a"), worker("b2", "b")];
    expect(ids(chooseWorkers(idle, 2))).toEqual(["b1", "b2"]);
    expect(ids(chooseWorkers(idle, 3))).toEqual(["a1", "a2", "a3"]);
    expect(ids(chooseWorkers(idle, 4))).toEqual(["a1", "a2", "a3", "b1"]);
    expect(chooseWorkers(idle, 6)).toBeNull();
  });

  it("gives as many different idle workers as were asked for, from no more hosts than needed", () => {
    const idleWorkers = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });
    fc.assert(
      fc.property(idleWorkers, fc.integer({ min: 1, max: 12 }), (hosts, count) => {
        const idle = hosts.map((host, index) => worker(`w${index}`, host));
        const chosen = chooseWorkers(idle, count);
        expect(new Set(chosen ?? []).size).toBe(count > idle.length ? 0 : count);
        expect(chosen === null).toBe(count > idle.length);
        expect(new Set(chosen?.map(({ join }) => join.host)).size).toBe(
          chosen === null ? 0 : hostsNeeded(hosts, count),
        );
      }),
    );
  });
});
