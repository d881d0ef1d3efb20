import { describe, expect, it } from "vitest";
import { chooseCollective } from "../../../../coordinator/group/choose-collective.js";
import { WorkerRecord } from "../../../../coordinator/group/worker-record.js";
import type { LaunchedWorker } from "../../../../coordinator/launcher/launcher.js";
import { joinMessage } from "../../../support/control-client.js";

function worker(isLaunched: boolean, sharesMemory = true): WorkerRecord {
  const memory = sharesMemory ? { sharesMemory } : { sharesMemory, sharingProblem: "no memfd_create here" };
  const join = { ...joinMessage("w", { token: "t" }), ...memory, protocol: 1, sequence: 0 };
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
  ] as const)("%s", (collective, workers, chosen, why) => {
    expect(chooseCollective({ collective }, workers)).toEqual({
      collective: chosen,
      reason: expect.stringContaining(why),
    });
  });
});
