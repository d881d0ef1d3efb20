import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { mpiCheck } from "../../../../coordinator/doctor/check-mpi.js";
import { portsCheck } from "../../../../coordinator/doctor/check-ports.js";
import { runDirectoryCheck } from "../../../../coordinator/doctor/check-run-directory.js";
import { sharedMemoryCheck } from "../../../../coordinator/doctor/check-shared-memory.js";
import { slurmCheck } from "../../../../coordinator/doctor/check-slurm.js";
import { checkLaunch, describeFinding } from "../../../../coordinator/doctor/launch-checks.js";
import { readCgroupLimits } from "../../../../coordinator/doctor/read-limits.js";
import type { LaunchedPlace } from "../../../../shared/launch/launched-place.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** A hierarchy of control groups with these files. */
async function cgroups(membership: string, files: Readonly<Record<string, string>>) {
  const folder = await temporaryDirectory();
  await writeFile(join(folder, "membership"), membership);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, "tree", name)), { recursive: true });
    await writeFile(join(folder, "tree", name), text);
  }
  return { membership: join(folder, "membership"), hierarchy: join(folder, "tree") };
}

/** Commands by name, as shell scripts; nothing else is on this search path. */
async function commands(scripts: Readonly<Record<string, string>>): Promise<NodeJS.ProcessEnv> {
  const folder = await temporaryDirectory();
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return { PATH: folder };
}

describe("readCgroupLimits", () => {
  it("takes the tightest limit of a group and those around it (version 2)", async () => {
    const places = await cgroups("0::/kube/pod:1/container\n", {
      "cpu.max": "800000 100000\n",
      "kube/pod:1/cpu.max": "150000 100000\n",
      "kube/pod:1/container/cpu.max": "max 100000\n",
      "kube/pod:1/container/memory.max": "max\n",
      "kube/memory.max": "1073741824\n",
    });
    expect(await readCgroupLimits(places)).toEqual({ cpus: 1.5, memoryBytes: 2 ** 30 });
  });

  it("reads version 1 where that is what there is", async () => {
    const places = await cgroups("4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n0::/\n", {
      "cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "50000\n",
      "cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
      "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
      "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
      "memory/memory.limit_in_bytes": "9223372036854771712\n",
      "memory/docker/abc/memory.limit_in_bytes": "536870912\n",
    });
    expect(await readCgroupLimits(places)).toEqual({ cpus: 0.5, memoryBytes: 2 ** 29 });
  });

  it("knows none where there are none", async () => {
    const nowhere = { membership: "/nowhere/at/all", hierarchy: "/nowhere" };
    expect(await readCgroupLimits(nowhere)).toEqual({ cpus: null, memoryBytes: null });
    const empty = await cgroups("0::/\n", { "cpu.max": "max 100000\n", "memory.max": "max\n" });
    expect(await readCgroupLimits(empty)).toEqual({ cpus: null, memoryBytes: null });
  });
});

describe("checks", () => {
  it("try a run directory out, and leave nothing in it; one that isn't there yet is judged by what is above it", async () => {
    const folder = await temporaryDirectory();
    const [finding] = await runDirectoryCheck(join(folder, "not/there/yet"), true)();
    expect(finding).toMatchObject({ check: "run directory", facts: { path: join(folder, "not/there/yet") } });
    expect(finding?.status).not.toBe("problem");
    const [unwritable] = await runDirectoryCheck("/proc/sys", true)();
    expect(unwritable).toMatchObject({
      status: "problem",
      facts: { kind: "proc" },
      remedy: expect.stringContaining("--out"),
    });
  });

  it("find out that the run directory can't be there, or can't be reached", async () => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, "file"), "in the way");
    await symlink("circle", join(folder, "circle"));
    const below = [join(folder, "file"), join(folder, "file/runs"), join(folder, "circle/runs")];
    const findings = (await Promise.all(below.map((path) => runDirectoryCheck(path, true)()))).flat();
    expect(findings.map(({ status }) => status)).toEqual(["problem", "problem", "problem"]);
    expect(findings[1]).toMatchObject({ found: expect.stringContaining("ENOTDIR") });
    expect(findings[2]).toMatchObject({ found: expect.stringContaining("ELOOP"), facts: { freeBytes: null } });
    for (const { remedy } of findings) expect(remedy).toContain("--out");
  });

  it("listen and connect on this host", async () => {
    const [finding] = await portsCheck([])();
    expect(finding).toMatchObject({ check: "ports", status: "ok" });
  });

  it("see that there is no /dev/shm", async () => {
    expect((await sharedMemoryCheck("/nowhere")()).map(({ status }) => status)).toEqual(["absent"]);
  });

  it("tell a Slurm that answers from one that doesn't, and from none", async () => {
    const version = 'if [ "$1" = --version ]; then echo slurm-wlm 22.05.8; exit; fi';
    const answers = await commands({ sinfo: `${version}\necho 'main*|up|n1|4|gpu:2|idle|1:00:00'` });
    const silent = await commands({ sinfo: `${version}\necho 'Unable to contact slurm controller' >&2; exit 1` });
    const all = await Promise.all(
      [answers, silent, await commands({})].map((environment) => slurmCheck(environment)()),
    );
    expect(all.flat().map(({ status, found }) => `${status}: ${found}`)).toEqual([
      "ok: version 22.05.8; main (default): 1 node, 2 GPUs",
      "warning: sinfo 22.05.8 is here, but no cluster answers: sinfo failed: Unable to contact slurm controller",
      "absent: no command sinfo",
    ]);
  });

  it("tell an mpirun whose library can't be loaded, with the words of the process that tried", async () => {
    const folder = await temporaryDirectory();
    const entry = join(folder, "broken.mjs");
    await writeFile(entry, 'process.stderr.write("ringstrasse: no such library\\n"); process.exitCode = 4;');
    const environment = await commands({ mpirun: "echo 'mpirun (Open MPI) 4.1.4'" });
    const [finding] = await mpiCheck(entry, environment)();
    expect(finding).toMatchObject({
      check: "mpirun",
      status: "problem",
      found: expect.stringContaining("no such library"),
    });
    expect((await mpiCheck(entry, await commands({}))()).map(({ status }) => status)).toEqual(["absent"]);
  });

  it("look at the library of MPI that the user has named", async () => {
    const folder = await temporaryDirectory();
    const entry = join(folder, "intel.mjs");
    const told = '{ file: process.argv[3], path: null, family: "MPICH", version: "Intel(R) MPI Library 2021.9" }';
    await writeFile(
      entry,
      `if (process.argv[3] === "libmpi.so.12") console.log(JSON.stringify(${told})); else process.exitCode = 4;`,
    );
    const mpirun = "echo 'Intel(R) MPI Library for Linux* OS, Version 2021.9 Build 20230307'";
    const environment = await commands({ mpirun });
    const named = { ...environment, RINGSTRASSE_MPI_LIBRARY: "libmpi.so.12" };
    const checksOf = async (variables: NodeJS.ProcessEnv) =>
      (await mpiCheck(entry, variables)()).map(({ check, status }) => `${check} ${status}`);
    expect(await checksOf(named)).toEqual(["mpirun ok", "MPI library libmpi.so.12 ok"]);
    expect(await checksOf(environment)).toEqual(["mpirun problem"]);
  });
});

describe("checkLaunch", () => {
  const place: LaunchedPlace = {
    launcher: "slurm",
    ...{ rank: 0, worldSize: 4096, localRank: 0, localSize: 4096, isOneHost: true },
  };

  it("warns of more threads on this host than it has processors, with what to do", async () => {
    const findings = await checkLaunch({ place, threads: 1, out: await temporaryDirectory() });
    const processors = findings.find(({ check }) => check === "processors");
    expect(describeFinding(processors ?? { check: "", status: "ok", found: "", facts: {}, remedy: null })).toMatch(
      /^processors: \d+ cores?, .*4096 workers × 1 thread = 4096.*\. Start at most \d+ workers? here/,
    );
    expect(findings.map(({ check }) => check)).not.toContain("own name");
  });

  it("has nothing to say of a rank that has a core", async () => {
    const alone = { ...place, worldSize: 1, localSize: 1 };
    const findings = await checkLaunch({ place: alone, threads: 1, out: await temporaryDirectory() });
    expect(findings.map(({ check }) => check)).not.toContain("processors");
  });
});
