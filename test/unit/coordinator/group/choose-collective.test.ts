import { describe, expect, it } from "vitest";
import { chooseCollective } from "../../../../coordinator/group/choose-collective.js";
import { WorkerRecord } from "../../../../coordinator/group/worker-record.js";
import type { LaunchedWorker } from "../../../../coordinator/launcher/launcher.js";
import { joinMessage } from "../../../support/control-client.js";

function worker(isLaunched: boolean, sharesMemory = true, host = "h"): WorkerRecord {
  const memory = sharesMemory ? { sharesMemory } : { sharesMemory, sharingProblem: "no memfd_create here" };
  const join = { ...joinMessage("w", { token: "t" }), host, ...memory, protocol: 1, sequence: 0 };
  const launched: LaunchedWorker = {
    index: 0,
    workerId: "w",
    host: "h",
    pid: 1,
    ended: new Promise(() => undefined),
    kill: () => undefined,
  };
  return new WorkerRecord(join, isLaunched ? launched : null, 0);
}

describe("chooseCollective", () => {
  it.each([
    ["auto", [worker(true)], "local", "one worker"],
    ["shm", [worker(true)], "local", "one worker"],
    ["auto", [worker(true), worker(true)], "shm", "this host's memory"],
    ["auto", [worker(true), worker(false)], "ring", "not started here"],
    ["auto", [worker(true), worker(true, false)], "ring", "worker w can't share memory: no memfd_create here"],
    ["ring", [worker(true), worker(true)], "ring", "asked for"],
    ["shm", [worker(false), worker(false)], "shm", "asked for"],
    ["auto", [worker(true), worker(true, true, "h2")], "ring", "on several hosts"],
    ["mpi", [worker(true), worker(true)], "mpi", "mpi was asked for"],
    ["mpi", [worker(true)], "local", "one worker"],
  ] as const)("%s", (collective, workers, chosen, why) => {
    expect(chooseCollective({ collective, mpiMode: "ordered" }, workers)).toEqual({
      collective: chosen,
      ordered: true,
      reason: expect.stringContaining(why),
    });
  });

  it("says that MPI's own all-reduce keeps no order", () => {
    const choice = chooseCollective({ collective: "mpi", mpiMode: "allreduce" }, [worker(true), worker(true)]);
    expect(choice).toEqual({ collective: "mpi", ordered: false, reason: expect.stringContaining("allreduce") });
  });
});
