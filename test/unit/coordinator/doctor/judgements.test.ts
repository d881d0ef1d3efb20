import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSynchronised } from "../../../../coordinator/doctor/check-clock.js";
import type { Finding } from "../../../../coordinator/doctor/finding.js";
import { judgeClock, judgeClockSkew } from "../../../../coordinator/doctor/judge-clock.js";
import { judgeGpus } from "../../../../coordinator/doctor/judge-gpus.js";
import { judgeMemory } from "../../../../coordinator/doctor/judge-memory.js";
import { judgeInterfaces, judgeOwnName } from "../../../../coordinator/doctor/judge-names.js";
import { judgePorts } from "../../../../coordinator/doctor/judge-ports.js";
import { judgeProcessors } from "../../../../coordinator/doctor/judge-processors.js";
import { judgeRunDirectory } from "../../../../coordinator/doctor/judge-run-directory.js";
import { judgeSharedMemory } from "../../../../coordinator/doctor/judge-shared-memory.js";
import { judgeSlurm } from "../../../../coordinator/doctor/judge-slurm.js";
import type { SlurmNode } from "../../../../coordinator/submit/slurm-nodes.js";

const GIB = 2 ** 30;

/** What a finding says, and what to do. */
function said({ status, found, remedy }: Finding): string {
  return `${status}: ${found} | ${remedy}`;
}

describe("judgeProcessors", () => {
  const machine = { cores: 16, quotaCpus: null, workers: 4, threads: 1 };

  it.each([
    [machine, /^ok: 16 cores, no quota \| null$/],
    [{ ...machine, quotaCpus: 4 }, /^ok: 16 cores, a quota of 4 \| null$/],
    [
      { ...machine, quotaCpus: 1.5 },
      /^warning: .*a quota of 1\.5, and 4 workers × 1 thread = 4.* \| .*at most 1 worker here.*--cpus/,
    ],
    [
      { ...machine, threads: 8 },
      /^warning: .*4 workers × 8 threads = 32.* \| Start at most 2 workers here, or use more hosts$/,
    ],
  ])("%j", (facts, expected) => {
    expect(said(judgeProcessors(facts))).toMatch(expected);
  });

  it("is content with as many workers as it advises", () => {
    const facts = fc.record({
      cores: fc.integer({ min: 1, max: 256 }),
      quotaCpus: fc.option(fc.double({ min: 1, max: 256, noNaN: true })),
      workers: fc.integer({ min: 1, max: 512 }),
      threads: fc.integer({ min: 1, max: 32 }),
    });
    fc.assert(
      fc.property(facts, (given) => {
        const { status, remedy } = judgeProcessors(given);
        const advised = Number(/at most (\d+)/.exec(remedy ?? "")?.[1] ?? given.workers);
        // One worker may have more threads than there are processors: it can't be made fewer.
        const again = judgeProcessors({ ...given, workers: advised });
        expect(again.status === "ok" || advised === 1).toBe(true);
        expect(status === "ok").toBe(remedy === null);
      }),
    );
  });
});

describe("judgeMemory", () => {
  it.each([
    [{ totalBytes: 16 * GIB, limitBytes: null, workers: 8 }, /^ok: 16\.0 GiB \| null$/],
    [{ totalBytes: 16 * GIB, limitBytes: 8 * GIB, workers: 8 }, /^ok: 8\.00 GiB, the limit of its control group/],
    [
      { totalBytes: 16 * GIB, limitBytes: GIB, workers: 8 },
      /^warning: 1\.00 GiB.*8 workers need 256 MiB each.* \| Start at most 4 here, or raise the limit .*--memory/,
    ],
    [
      { totalBytes: GIB, limitBytes: 64 * GIB, workers: 8 },
      /^warning: 1\.00 GiB, and 8 workers.* \| Start at most 4 here$/,
    ],
  ])("%j", (facts, expected) => {
    expect(said(judgeMemory(facts))).toMatch(expected);
  });
});

describe("judgeSharedMemory", () => {
  it.each([
    [GIB, /^ok: 1024 MiB free/],
    [2 ** 20, /^warning: 1 MiB free in \/dev\/shm: MPI.* \| .*--shm-size/],
    [null, /^absent: there is no \/dev\/shm/],
  ])("%j free", (free, expected) => {
    expect(said(judgeSharedMemory(free))).toMatch(expected);
  });
});

describe("judgeRunDirectory", () => {
  const folder = { path: "runs", kind: "ext4", freeBytes: 50 * GIB, problem: null };

  it.each([
    [folder, /^ok: runs on ext4, 50\.0 GiB free; this host's alone/],
    [{ ...folder, kind: "nfs4" }, /^ok: .*seen by other hosts; fit for runs, not for the data directory of serve/],
    [{ ...folder, kind: null }, /^ok: runs on a file system of unknown kind/],
    [{ ...folder, kind: "tmpfs" }, /^warning: .*in memory.* \| .*--out/],
    [{ ...folder, kind: "overlay" }, /^warning: .*gone with this container.* \| .*volume by --out/],
    [{ ...folder, freeBytes: GIB / 2 }, /^warning: .*0\.500 GiB free.* \| Make room/],
    [{ ...folder, problem: "EROFS: read-only file system" }, /^problem: .*EROFS.* \| .*--out/],
  ])("%j", (facts, expected) => {
    expect(said(judgeRunDirectory(facts))).toMatch(expected);
  });
});

describe("names and ports", () => {
  it.each([
    [{ name: "n1", addresses: ["10.0.0.1"], problem: null }, /^ok: n1 means 10\.0\.0\.1 \| null$/],
    [{ name: "n1", addresses: ["127.0.1.1", "10.0.0.1"], problem: null }, /^ok: n1 means 10\.0\.0\.1 \|/],
    [
      { name: "n1", addresses: ["127.0.1.1"], problem: null },
      /^warning: n1 means 127\.0\.1\.1, which is each host itself \| Give n1 .*MASTER_ADDR/,
    ],
    [{ name: "n1", addresses: [], problem: "ENOTFOUND" }, /^warning: n1 means nothing here \(ENOTFOUND\) \| Give n1/],
  ])("own name %j", (facts, expected) => {
    expect(said(judgeOwnName(facts))).toMatch(expected);
  });

  it.each([
    [[], /^warning: none .*only processes of this host/],
    [[{ name: "eth0", address: "10.0.0.1" }], /^ok: eth0 10\.0\.0\.1 \| null$/],
    [
      [
        { name: "eth0", address: "10.0.0.1" },
        { name: "ib0", address: "10.1.0.1" },
      ],
      /^ok: eth0 10\.0\.0\.1, ib0 10\.1\.0\.1: --interface chooses/,
    ],
  ])("interfaces %j", (interfaces, expected) => {
    expect(said(judgeInterfaces(interfaces))).toMatch(expected);
  });

  it.each([
    [{ address: "10.0.0.1", problem: null, taken: [] }, /^ok: listening and connecting at 10\.0\.0\.1 work \| null$/],
    [
      { address: "10.0.0.1", problem: null, taken: [8080, 7070] },
      /^ok: .*listens at 8080 and 7070 already \| .*--control-port/,
    ],
    [
      { address: "10.0.0.1", problem: "no answer within 2000 ms", taken: [] },
      /^problem: .*10\.0\.0\.1.*no answer.* \| .*iptables/,
    ],
  ])("ports %j", (facts, expected) => {
    expect(said(judgePorts(facts))).toMatch(expected);
  });
});

describe("clocks", () => {
  it.each([
    [true, /^ok/],
    [false, /^warning: not synchronised \| .*timedatectl/],
    [null, /^absent: nobody here says/],
  ])("synchronised: %j", (isSynchronised, expected) => {
    expect(said(judgeClock(isSynchronised))).toMatch(expected);
  });

  it.each([
    ["yes\n", "", true],
    ["no\n", "", false],
    ["", "A9FEA97B,169.254.169.123,4,1763.1,0.1,0.1,0.1,-5.4,0.0,0.0,0.1,0.1,16.1,Normal\n", true],
    ["", "7F7F0101,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n", false],
    ["", "", null],
    ["System has not been booted with systemd\n", "", null],
  ])("timedatectl says %j, chronyc %j", (systemd, chrony, expected) => {
    expect(readSynchronised(systemd, chrony)).toBe(expected);
  });

  it.each([
    [12_300, /^warning: the clock of rank 2 \(node2\) is 12\.3 s ahead of rank 0's \| .*node2/],
    [-12_300, /^warning: .* 12\.3 s behind rank 0's/],
    [-40, /^ok/],
  ])("%i ms ahead", (aheadMs, expected) => {
    expect(said(judgeClockSkew({ rank: 2, host: "node2", aheadMs }))).toMatch(expected);
  });
});

describe("judgeGpus", () => {
  const two = { here: ["0", "1"], visible: ["0", "1"], chosen: null, driver: "550.54" };

  it.each([
    [two, /^ok: 2 GPUs, driver 550\.54 \| null$/],
    [{ ...two, visible: ["1"], chosen: "1" }, /^ok: 1 of 2 GPUs/],
    [{ ...two, visible: ["GPU-8e2f"], chosen: "GPU-8e2f" }, /^ok: 1 of 2 GPUs/],
    [{ ...two, visible: [], chosen: "-1" }, /^warning: 2 GPUs.*hidden by CUDA_VISIBLE_DEVICES="-1"/],
    [
      { ...two, visible: ["7"], chosen: "7" },
      /^problem: CUDA_VISIBLE_DEVICES is "7", and here are 2 GPUs: 0, 1 \| Unset it/,
    ],
    [{ here: [], visible: [], chosen: "0", driver: null }, /^absent: no NVIDIA GPU/],
    [
      { here: [], visible: [], chosen: null, driver: "550.54" },
      /^warning: the driver 550\.54 is loaded.* \| .*nvidia\.com\/gpu/,
    ],
  ])("%j", (facts, expected) => {
    expect(said(judgeGpus(facts))).toMatch(expected);
  });
});

describe("judgeSlurm", () => {
  const node: SlurmNode = {
    ...{ partition: "main", isDefault: true, isUp: true, name: "n1", cpus: 4, gpus: 2, state: "idle" },
    timeLimitS: 3600,
  };
  const nodes = [node, { ...node, name: "n2" }, { ...node, partition: "short", isDefault: false, gpus: 0 }];

  it.each([
    [{ isHere: false, version: null, nodes: [], problem: null }, /^absent: no command sinfo/],
    [
      { isHere: true, version: "22.05.8", nodes, problem: null },
      /^ok: version 22\.05\.8; main \(default\): 2 nodes, 4 GPUs; short: 1 node \| null$/,
    ],
    [
      { isHere: true, version: "22.05.8", nodes: [], problem: "sinfo failed" },
      /^warning: sinfo 22\.05\.8 is here, but no cluster answers: sinfo failed \| .*scontrol ping/,
    ],
  ])("%j", (facts, expected) => {
    expect(said(judgeSlurm(facts))).toMatch(expected);
  });
});
