import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expandHostList } from "../../shared/launch/host-list.js";
import type { FinishedEvent, TrainEvent } from "../../shared/train-events.js";
import type { ClusterCommandEnd } from "../support/host-network.js";
import { markedProcesses } from "../support/marked-processes.js";
import { MPI_LAUNCHERS } from "../support/mpi-launchers.js";
import { eventsOf, ROOT, runCommand, runTrain } from "../support/run-command.js";
import { SlurmCluster, slurmProblem } from "../support/slurm-cluster.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const ENTRY = join(ROOT, "dist/ringstrasse.js");
const JOB = ["--replicas", "4", "--batch-size", "32", "--json"];
const SHORT = [...JOB, "--epochs", "3"];
/** Epochs that take some seconds. */
const LONG = "400";
const ENDLESS = [...JOB, "--epochs", "1000000", "--evaluate-every", "1000000"];
const PROBLEM = slurmProblem();
const OPEN_MPI = MPI_LAUNCHERS.find(({ command }) => command === "mpirun.openmpi");

interface BatchJob {
  readonly jobId: string;
  readonly out: string;
  /** In the environment of all its processes. */
  readonly mark: string;
  /** What it has said so far. */
  log(): Promise<string>;
}

describe.skipIf(PROBLEM !== null)(`Slurm with three nodes${PROBLEM === null ? "" : ` (${PROBLEM})`}`, () => {
  let cluster: SlurmCluster;
  let alone: Promise<string> | null = null;

  beforeAll(async () => {
    cluster = await SlurmCluster.start(3);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const rows = (): string => join(cluster.folder, "rows");

  /** Of the same job in one worker, without Slurm. */
  function weightsAlone(): Promise<string> {
    const places = ["--out", join(cluster.folder, "alone"), "--data-dir", rows()];
    const job = SHORT.filter((each) => each !== "--json");
    alone ??= runTrain([IRIS, ...job, ...places]).then(({ finished }) => finished.weightsSha256);
    return alone;
  }

  let whole: Promise<Pick<FinishedEvent, "weightsSha256" | "stateSha256">> | null = null;
  /** Hashes of the long job in one worker, without Slurm. */
  function undisturbed(): Promise<Pick<FinishedEvent, "weightsSha256" | "stateSha256">> {
    const job = ["--replicas", "4", "--batch-size", "32", "--epochs", LONG];
    const places = ["--out", join(cluster.folder, "undisturbed"), "--data-dir", rows()];
    whole ??= runTrain([IRIS, ...job, ...places]).then(({ finished }) => {
      const { weightsSha256, stateSha256 } = finished;
      return { weightsSha256, stateSha256 };
    });
    return whole;
  }

  async function submit(args: readonly string[], out: string, env: NodeJS.ProcessEnv = {}): Promise<ClusterCommandEnd> {
    const places = ["--out", out, "--data-dir", rows()];
    return await cluster.run("login", [process.execPath, ENTRY, "submit", "slurm", IRIS, ...places, ...args], env);
  }

  async function submitted(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<BatchJob> {
    const out = join(cluster.folder, `run-${randomUUID()}`);
    const mark = randomUUID();
    const { exitCode, stdout, stderr } = await submit(args, out, { MARK: mark, ...env });
    if (exitCode !== 0) throw new Error(`submit ended with ${exitCode}: ${stderr}`);
    const { jobId, log } = JSON.parse(stdout);
    expect(log).toBe(join(out, `slurm-${jobId}.out`));
    return { jobId, out, mark, log: () => readFile(log, "utf8").catch(() => "") };
  }

  /** Runs a batch job to its end; `sbatch --wait` looks too rarely. @returns its exit code */
  async function runBatch(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
    const { exitCode, stdout, stderr } = await cluster.run("login", ["sbatch", "--parsable", ...args], env);
    if (exitCode !== 0) throw new Error(`sbatch ended with ${exitCode}: ${stderr}`);
    return await ended({ jobId: stdout.trim() });
  }

  /** Resolves when Slurm has ended the job. @returns its exit code; 0 too where a signal has ended it */
  async function ended({ jobId }: Pick<BatchJob, "jobId">): Promise<number> {
    for (;;) {
      const { stdout } = await cluster.run("login", ["scontrol", "show", "job", jobId]);
      const [, state = "", exitCode = ""] = /JobState=(\S+)[\s\S]*ExitCode=(\d+):/.exec(stdout) ?? [];
      if (!["PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "REQUEUED"].includes(state)) return Number(exitCode);
      await setTimeout(100);
    }
  }

  async function says(job: BatchJob, words: string): Promise<string> {
    for (;;) {
      const log = await job.log();
      if (log.includes(words)) return log;
      await setTimeout(50);
    }
  }

  /** Resolves once nothing of the job is left on any node; the test's own time limit ends a wait that never would. */
  async function nothingLeft({ mark }: BatchJob): Promise<void> {
    while (markedProcesses(mark).length > 0) await setTimeout(50);
  }

  it.each([
    [1, 1],
    [2, 2],
  ])("submit: %i nodes with %i ranks each, the bits of one worker", async (nodes, tasks) => {
    // Of the submitter's own runs; its job would refuse it.
    const own = { RINGSTRASSE_WORKERS: "3", RINGSTRASSE_LAUNCHER: "local" };
    const job = await submitted([...SHORT, "--nodes", `${nodes}`, "--tasks-per-node", `${tasks}`], own);
    const exitCode = await ended(job);
    const events = eventsAmong(await job.log());
    expect(finishedOf(events)).toMatchObject({ workers: nodes * tasks, weightsSha256: await weightsAlone() });
    expect(exitCode).toBe(0);
    const generation = events.find((event) => event.event === "generation");
    const hosts = ["node1", "node2"].slice(0, nodes).flatMap((node) => Array.from({ length: tasks }, () => node));
    expect(generation?.workers.map(({ host }) => host)).toEqual(hosts);
    await nothingLeft(job);
  });

  it("slurm/train.sbatch: two ranks on two nodes, with the cores that sbatch was told, the bits of one worker", async () => {
    const folder = await temporaryDirectory();
    const log = join(folder, "log");
    const noting = `#!/bin/sh\necho "$SLURM_CPUS_PER_TASK" >>${join(folder, "cores")}\nexec ${ENTRY} "$@"\n`;
    await writeFile(join(folder, "ringstrasse"), noting, { mode: 0o755 });
    const batch = ["--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=2", `--output=${log}`, "slurm/train.sbatch"];
    const job = [IRIS, ...SHORT, "--out", join(folder, "run"), "--data-dir", rows()];
    const path = [folder, dirname(process.execPath), process.env["PATH"]].join(delimiter);
    const exitCode = await runBatch([...batch, ...job], { PATH: path });
    const finished = finishedOf(eventsAmong(await readFile(log, "utf8")));
    expect(finished).toMatchObject({ workers: 2, ordered: true, weightsSha256: await weightsAlone() });
    expect(exitCode).toBe(0);
    expect(await readFile(join(folder, "cores"), "utf8")).toBe("2\n2\n");
  });

  it.skipIf(OPEN_MPI?.isInstalled !== true)(
    "mpirun inside a batch job: MPI's ranks, not Slurm's (needs openmpi-bin)",
    async () => {
      const places = ["--out", join(cluster.folder, "mpi"), "--data-dir", rows()];
      const train = [process.execPath, ENTRY, "train", IRIS, ...SHORT, "--collective", "mpi", ...places].join(" ");
      const network = "--mca btl tcp,self --mca btl_tcp_if_include e0 --mca oob_tcp_if_include e0";
      const log = join(cluster.folder, "mpi.out");
      const wrapped = `--wrap=mpirun.openmpi --allow-run-as-root ${network} ${train}`;
      const batch = ["--nodes=2", "--ntasks-per-node=1", `--output=${log}`, wrapped];
      const exitCode = await runBatch(batch);
      const finished = finishedOf(eventsAmong(await readFile(log, "utf8")));
      expect(finished).toMatchObject({ workers: 2, collective: "mpi", weightsSha256: await weightsAlone() });
      expect(exitCode).toBe(0);
    },
  );

  const hasMpi = (mpi: string): boolean =>
    MPI_LAUNCHERS.some(({ command, isInstalled }) => command === mpi && isInstalled);
  it.skipIf(!hasMpi("mpirun.mpich") || !hasMpi("mpirun.openmpi")).each([
    ["pmi2", 2],
    // The nodes share /tmp, where Slurm's PMIx has a folder of one name on each.
    ["pmix", 1],
  ] as const)(
    "srun --mpi=%s over %i nodes: its ranks, with MPI between them (needs mpich and openmpi-bin)",
    async (kind, nodes) => {
      const places = ["--out", join(cluster.folder, kind), "--data-dir", rows()];
      const train = [process.execPath, ENTRY, "train", IRIS, ...SHORT, "--collective", "mpi", ...places];
      const srun = ["srun", `--mpi=${kind}`, `--nodes=${nodes}`, "--ntasks=2", ...train];
      const { exitCode, stdout, stderr } = await cluster.run("login", srun);
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
      const finished = finishedOf(eventsOf(stdout));
      expect(finished).toMatchObject({ workers: 2, collective: "mpi", weightsSha256: await weightsAlone() });
    },
  );

  it("a killed rank is named with its host, the job fails, and nothing is left", async () => {
    const job = await submitted([...ENDLESS, "--nodes", "2"]);
    const log = await says(job, '"event":"epoch","epoch":3,');
    const generation = eventsAmong(log).find((event) => event.event === "generation");
    const { pid, host } = generation?.workers[1] ?? {};
    if (pid == null) throw new Error("no pid of the victim");
    process.kill(pid, "SIGKILL");
    expect(await ended(job)).not.toBe(0);
    const failed = eventsAmong(await job.log()).find((event) => event.event === "failed");
    expect(failed).toMatchObject({ code: "WORKER_DIED", rank: 1, host: "node2" });
    expect(failed?.message).toContain(`worker rank 1 (${host}, pid ${pid}`);
    await nothingLeft(job);
  });

  it("scancel leaves nothing on any node", async () => {
    const job = await submitted([...ENDLESS, "--nodes", "2"]);
    await says(job, '"event":"epoch","epoch":3,');
    expect(markedProcesses(job.mark).length).toBeGreaterThan(3);
    await cluster.run("login", ["scancel", job.jobId]);
    await ended(job);
    await nothingLeft(job);
  });

  it("warned that its time is nearly up, a job saves its state, is queued again, and ends with the bits of one worker", async () => {
    const job = await submitted([...JOB, "--epochs", LONG, "--nodes", "2"]);
    await says(job, '"event":"epoch","epoch":3,');
    await cluster.run("login", ["scancel", "--batch", "--signal=USR1", job.jobId]);
    expect(await ended(job)).toBe(0);
    const log = await job.log();
    expect(log).toContain("the job is queued again, and goes on from its checkpoint");
    const events = eventsAmong(log);
    const failed = events.find((event) => event.event === "failed");
    expect(failed).toMatchObject({ code: "INTERRUPTED", message: expect.stringContaining("SIGUSR2") });
    const resumed = events.find((event) => event.event === "resumed");
    const saved = events.find((event) => event.event === "checkpoint");
    if (saved === undefined) throw new Error(`nothing was saved: ${log}`);
    expect(resumed?.step).toBe(saved.step);
    expect(finishedOf(events)).toMatchObject(await undisturbed());
    await nothingLeft(job);
  });

  it("a node that is lost: the job is queued again, and ends on others with the bits of one worker", async () => {
    const job = await submitted([
      ...JOB,
      "--epochs",
      LONG,
      "--nodes",
      "2",
      "--checkpoint-epochs",
      "20",
      "--silence-timeout",
      "120",
    ]);
    await says(job, '"event":"checkpoint"');
    await cluster.cutOff("node2");
    expect(await ended(job)).toBe(0);
    const events = eventsAmong(await job.log());
    expect(events.filter((event) => event.event === "resumed")).toHaveLength(1);
    const hosts = events.findLast((event) => event.event === "generation")?.workers.map(({ host }) => host);
    expect(hosts).toEqual(["node1", "node3"]);
    expect(finishedOf(events)).toMatchObject(await undisturbed());
    await cluster.reconnect("node2");
  });

  it("a folder that one node doesn't share: exit 4, with node and path", async () => {
    const out = join(cluster.folder, "unshared");
    await mkdir(out);
    await cluster.hideFolder("node2", out);
    const { stdout } = await submit([...SHORT, "--nodes", "2"], out);
    const { jobId, log } = JSON.parse(stdout);
    expect(await ended({ jobId })).toBe(4);
    expect(await readFile(log, "utf8")).toMatch(
      new RegExp(`ringstrasse: node2: ${out}/\\S+ is not there\\. Put it on`),
    );
  });

  it("a name that means each host itself is refused by name, never met at", async () => {
    const folder = await temporaryDirectory();
    const train = [
      process.execPath,
      ENTRY,
      "train",
      IRIS,
      ...SHORT,
      "--out",
      join(folder, "run"),
      "--data-dir",
      rows(),
    ];
    const env = { MASTER_ADDR: "localhost", RINGSTRASSE_TOKEN: "of this test alone" };
    const srun = ["srun", "--mpi=none", "--nodes=2", "--ntasks=2", "--wait=1", ...train];
    const { exitCode, stderr } = await cluster.run("login", srun, env);
    // Of rank 0, which srun ends.
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("could not start a worker on node2: rank 1 can't meet rank 0 at localhost");
    expect(stderr).toContain("localhost means 127.0.0.1 here, which is this host itself");
  });

  it("submit refuses what this cluster can't give, before anything is written", async () => {
    const out = join(cluster.folder, "refused");
    const wrong = await submit(["--partition", "night"], out);
    expect(wrong).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining("no partition night. Choose one of main, short"),
    });
    const many = await submit(["--gpus-per-node", "3"], out);
    expect(many).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("--gpus-per-node: 3 GPUs") });
    await expect(readFile(join(out, "train.sbatch"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("a sweep is one array with a run for each value, and says which is best", async () => {
    const out = join(cluster.folder, "sweep");
    const unknown = await submit([...SHORT, "--sweep", "haste=1,2"], out);
    expect(unknown).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('unknown parameter "haste"') });
    await expect(readFile(join(out, "train.sbatch"))).rejects.toMatchObject({ code: "ENOENT" });
    const { stdout } = await submit([...SHORT, "--sweep", "seed=3,4"], out);
    const { jobId, runs, log } = JSON.parse(stdout);
    expect({ runs, log }).toEqual({ runs: 2, log: join(out, "%a", `slurm-${jobId}_%a.out`) });
    for (const run of ["0", "1"]) {
      while ((await readFile(join(out, run, "result.json"), "utf8").catch(() => "")) === "") await setTimeout(100);
    }
    const summary = JSON.parse((await runCommand(["sweep", out, "--json"])).stdout);
    const [third, fourth] = summary.members;
    expect([third.settings, fourth.settings]).toEqual([{ seed: "3" }, { seed: "4" }]);
    const places = ["--out", join(cluster.folder, "seed-3"), "--data-dir", rows()];
    const { finished } = await runTrain([IRIS, ...SHORT.filter((each) => each !== "--json"), "--seed", "3", ...places]);
    expect(third.result.weightsSha256).toBe(finished.weightsSha256);
    expect(fourth.result.weightsSha256).not.toBe(finished.weightsSha256);
    const table = (await runCommand(["sweep", out])).stdout;
    expect(table).toContain(`${summary.best} best`);
    expect(table).toContain(finished.weightsSha256.slice(0, 12));
  });

  it("node lists mean what scontrol says", async () => {
    const lists = ["node[1-3,7]", "a[01-03],c", "r[0-1]n[08-10],login", "x,y[5],z[007-009,2]"];
    for (const list of lists) {
      const { stdout } = await cluster.run("login", ["scontrol", "show", "hostnames", list]);
      expect(expandHostList(list)).toEqual(stdout.trim().split("\n"));
    }
  });
});

function eventsAmong(log: string): TrainEvent[] {
  const lines = log.slice(0, log.lastIndexOf("\n") + 1).split("\n");
  return eventsOf(lines.filter((line) => line.startsWith("{")).join("\n"));
}

function finishedOf(events: readonly TrainEvent[]): FinishedEvent {
  const last = events.at(-1);
  if (last?.event !== "finished") throw new Error(`not finished: ${JSON.stringify(last)}`);
  return last;
}
