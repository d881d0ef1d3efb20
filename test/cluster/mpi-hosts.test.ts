import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { TrainEvent } from "../../shared/train-events.js";
import { HostNetwork, hostsProblem } from "../support/host-network.js";
import { isOnPath } from "../support/is-on-path.js";
import { markedProcesses } from "../support/marked-processes.js";
import { MPI_LAUNCHERS, type MpiLauncher } from "../support/mpi-launchers.js";
import { eventsOf, ROOT, type RunningCommand, runTrain, startCommand } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { tracesOf } from "../support/traces-of.js";
import { Wiretap } from "../support/wiretap.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const AGENT = join(ROOT, "test/cluster/rsh-agent.sh");
const HOSTS = ["node1", "node2"] as const;
const JOB = ["--replicas", "4", "--batch-size", "32"];
const ENDLESS = ["--epochs", "1000000", "--evaluate-every", "1000000"];
const SECRET = "of this test alone";
const PROBLEM = hostsProblem();

/** MPICH's launcher has things of its own to say on stdout when a rank dies. */
function eventsAmong(stdout: string): TrainEvent[] {
  const lines = stdout.slice(0, stdout.lastIndexOf("\n")).split("\n");
  return eventsOf(lines.filter((line) => line.startsWith("{")).join("\n"));
}

async function nothingLeft(mark: string): Promise<void> {
  while (markedProcesses(mark).length > 0) await setTimeout(50);
}

describe.skipIf(PROBLEM !== null)(`ranks on two hosts, without Slurm${PROBLEM === null ? "" : ` (${PROBLEM})`}`, () => {
  let hosts: HostNetwork;
  let alone: Promise<string> | null = null;

  beforeAll(async () => {
    hosts = await HostNetwork.start(2);
  });
  afterAll(() => hosts?.[Symbol.asyncDispose]());

  /** Of the same job in one worker. */
  function weightsAlone(): Promise<string> {
    const places = ["--out", join(hosts.folder, "alone"), "--data-dir", join(hosts.folder, "rows")];
    alone ??= runTrain([IRIS, ...JOB, "--epochs", "3", ...places]).then(({ finished }) => finished.weightsSha256);
    return alone;
  }

  async function job(...more: readonly string[]): Promise<string[]> {
    const places = ["--out", join(await temporaryDirectory(), "run"), "--data-dir", join(hosts.folder, "rows")];
    return ["train", IRIS, ...JOB, "--json", ...places, ...more];
  }

  /** What starts so many ranks on each host, which a file names. */
  async function hostOptions({ command }: MpiLauncher, perHost: number): Promise<string[]> {
    const file = join(await temporaryDirectory(), "hosts");
    const isOpenMpi = command === "mpirun.openmpi";
    await writeFile(file, HOSTS.map((host) => `${host}${isOpenMpi ? " slots=" : ":"}${perHost}\n`).join(""));
    // Else Hydra ends its own helper on rank 0's host together with the ranks, and what is said about the end with it.
    if (!isOpenMpi) return ["-disable-auto-cleanup", "-f", file, "-launcher", "rsh", "-launcher-exec", AGENT];
    const network = ["btl_tcp_if_include", "oob_tcp_if_include"].flatMap((name) => ["--mca", name, "e0"]);
    // The hosts are one machine: else the first rank of each, and the coordinator with rank 0, would be bound to its first core, where
    // ranks that ask MPI again and again can keep the coordinator from running for half a minute.
    const places = ["--hostfile", file, "--bind-to", "none"];
    return [...places, "--mca", "plm_rsh_agent", AGENT, "--mca", "btl", "tcp,self,vader", ...network];
  }

  async function startOnHosts(
    launcher: MpiLauncher,
    perHost: number,
    args: readonly string[],
    mark = "none",
  ): Promise<RunningCommand> {
    const { command, options } = launcher;
    const ranks = ["-np", String(2 * perHost)];
    const through = [
      ...hosts.through("node1"),
      command,
      ...options,
      ...(await hostOptions(launcher, perHost)),
      ...ranks,
    ];
    return startCommand(args, { through, env: { HOSTS_FOLDER: hosts.folder, MARK: mark } });
  }

  for (const launcher of MPI_LAUNCHERS) {
    describe.skipIf(!launcher.isInstalled)(`by ${launcher.name}`, () => {
      it.each([
        [1, "mpi"],
        [2, "auto"],
      ] as const)("%i on each, --collective %s: the bits of one worker", async (perHost, collective) => {
        const run = await startOnHosts(launcher, perHost, await job("--epochs", "3", "--collective", collective));
        const { exitCode, stdout, stderr } = await run.ended;
        expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
        const events = eventsOf(stdout);
        const generation = events.find((event) => event.event === "generation");
        const places = HOSTS.flatMap((host) => Array.from({ length: perHost }, () => host));
        expect(generation?.workers.map(({ host }) => host)).toEqual(places);
        expect(events.at(-1)).toMatchObject({ event: "finished", ordered: true, weightsSha256: await weightsAlone() });
      });

      it("a killed rank on the other host is named, and nothing is left on any host", async () => {
        const mark = randomUUID();
        const run = await startOnHosts(launcher, 1, await job(...ENDLESS), mark);
        await run.until((stdout) => stdout.includes('"event":"epoch","epoch":3,'));
        const generation = eventsAmong(run.stdout()).find((event) => event.event === "generation");
        const { pid, host } = generation?.workers[1] ?? {};
        if (pid == null) throw new Error("no pid of the victim");
        expect(host).toBe("node2");
        process.kill(pid, "SIGKILL");
        const { exitCode, stdout } = await run.ended;
        expect(exitCode).not.toBe(0);
        const failed = eventsAmong(stdout).find((event) => event.event === "failed");
        const message = expect.stringContaining(`worker rank 1 (node2, pid ${pid}`);
        // Open MPI's launcher may end before it has passed on what was said about the dead rank.
        if (launcher.atItsEnd === "output" || failed !== undefined)
          expect(failed).toMatchObject({ code: "WORKER_DIED", rank: 1, host: "node2", message });
        await nothingLeft(mark);
      });
    });
  }

  const [installed] = MPI_LAUNCHERS.filter(({ isInstalled }) => isInstalled);
  it.skipIf(installed === undefined)(
    "an address that is each host itself is refused by name (needs an MPI)",
    async () => {
      if (installed === undefined) return;
      const run = await startOnHosts(installed, 1, await job("--epochs", "1", "--interface", "lo"));
      const { exitCode, stderr } = await run.ended;
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/--interface: the address of lo on node[12] is 127\.0\.0\.1, which no other host reaches/);
    },
  );

  it.skipIf(installed === undefined)(
    "go by the network of --host, though each host's first is one that leads nowhere (needs an MPI)",
    async () => {
      if (installed === undefined) return;
      for (const host of HOSTS) {
        onTestFinished(async () => void (await hosts.run(host, ["ip", "link", "delete", "7"])));
        // Names that are numbers come first in what Node says of interfaces.
        for (const command of [
          "ip link add name 7 type veth peer name 8",
          "ip address add 10.99.0.15/24 dev 7",
          "ip link set dev 8 up",
          "ip link set dev 7 up",
        ]) {
          expect(await hosts.run(host, command.split(" "))).toMatchObject({ exitCode: 0 });
        }
      }
      const run = await startOnHosts(
        installed,
        1,
        await job("--epochs", "3", "--collective", "ring", "--host", "node1", "--stall-timeout", "15"),
      );
      const { exitCode, stdout, stderr } = await run.ended;
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(eventsOf(stdout).at(-1)).toMatchObject({ event: "finished", weightsSha256: await weightsAlone() });
    },
  );

  /** Four ranks, two on each host, with the variables of torchrun. */
  function startAsTorchrun(args: readonly string[]): RunningCommand[] {
    const base = { WORLD_SIZE: "4", LOCAL_WORLD_SIZE: "2", MASTER_ADDR: "node1", MASTER_PORT: "29500" };
    return [0, 1, 2, 3].map((rank) => {
      const env = { ...base, RANK: String(rank), LOCAL_RANK: String(rank % 2), RINGSTRASSE_TOKEN: SECRET };
      return startCommand(args, { through: hosts.through(rank < 2 ? "node1" : "node2"), env });
    });
  }

  it("variables as torchrun sets them: the ranks meet, with the bits of one worker", async () => {
    const runs = startAsTorchrun(await job("--epochs", "3"));
    const ends = await Promise.all(runs.map(({ ended }) => ended));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    expect(eventsOf(ends[0]?.stdout ?? "").at(-1)).toMatchObject({ workers: 4, weightsSha256: await weightsAlone() });
    expect(ends.slice(1).map(({ stdout }) => stdout)).toEqual(["", "", ""]);
  });

  it.skipIf(!isOnPath("python3"))("who reads the network between them sees no secret (needs python3)", async () => {
    await using tap = await Wiretap.on(hosts, "node2");
    const ends = await Promise.all(startAsTorchrun(await job("--epochs", "1", "--encrypt")).map(({ ended }) => ended));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    const heard = (await tap.until('\\"kind\\":\\"exit\\"')).replaceAll("\\", "");
    for (const kind of ["ask", "answer", "show", "say", "challenge", "here", "welcome", "done"])
      expect(heard).toContain(`"kind":"${kind}"`);
    for (const trace of ['"token"', "socketFolder", "coordinatorEndpoint", ...tracesOf(SECRET)])
      expect(heard.includes(trace), trace).toBe(false);
  });
});
