import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { FinishedEvent, TrainEvent } from "../../shared/train-events.js";
import { markedProcesses } from "../support/marked-processes.js";
import { MPI_LAUNCHERS, type MpiLauncher } from "../support/mpi-launchers.js";
import { realData } from "../support/real-data.js";
import { type CommandEnd, eventsOf, ROOT, runFailingTrain, runTrain, startRanks } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const MNIST = realData("mnist/t10k-images-idx3-ubyte.gz");

/** Of a run of its own. */
function iris(...more: readonly string[]): Promise<string[]> {
  return irisOf(4, ...more);
}

async function irisOf(replicas: number, ...more: readonly string[]): Promise<string[]> {
  const folder = await temporaryDirectory();
  const places = ["--out", join(folder, "run"), "--data-dir", join(folder, "rows")];
  return [IRIS, "--replicas", String(replicas), "--batch-size", "32", ...places, ...more];
}

/** MPICH's launcher has things of its own to say on stdout when a rank dies. */
function eventsAmong(stdout: string): TrainEvent[] {
  return eventsOf(
    stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .join("\n"),
  );
}

async function trainRanks(launcher: MpiLauncher, ranks: number, args: readonly string[]): Promise<TrainEvent[]> {
  const { exitCode, stdout, stderr } = await startRanks(launcher, ranks, ["train", ...args, "--json"]).ended;
  if (exitCode !== 0) throw new Error(`${launcher.command} ended with ${exitCode}:\n${stdout.slice(-2000)}\n${stderr}`);
  // All of it: nothing but rank 0's events is on stdout.
  return eventsOf(stdout);
}

function finishedOf(events: readonly TrainEvent[]): FinishedEvent {
  const last = events.at(-1);
  if (last?.event !== "finished") throw new Error(`not finished: ${JSON.stringify(last)}`);
  return last;
}

function saysFailed({ stdout }: CommandEnd): boolean {
  return eventsAmong(stdout).some(({ event }) => event === "failed");
}

function failedOf({ stdout, stderr }: CommandEnd) {
  const failed = eventsAmong(stdout).find((event) => event.event === "failed");
  if (failed === undefined) throw new Error(`not failed: ${stdout.slice(-2000)}\n${stderr}`);
  return failed;
}

/** By rank. @param stdout of a run that goes on */
function workersOf(stdout: string): readonly { readonly pid: number | null; readonly host: string }[] {
  const events = eventsAmong(stdout.slice(0, stdout.lastIndexOf("\n")));
  return events.find((event) => event.event === "generation")?.workers ?? [];
}

/** The process that calls MPI for that of a rank. @param mark in the environment of all of the run */
function sidecarOf(pid: number | null | undefined, mark: string): number {
  const isChild = (candidate: number): boolean => {
    // proc_pid_stat(5): number, name in brackets, state, parent.
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+) /.exec(readFileSync(`/proc/${candidate}/stat`, "utf8")) ?? [];
    return name === "ringstrasse-mpi" && Number(parent) === pid;
  };
  const found = markedProcesses(mark).find(isChild);
  if (found === undefined) throw new Error(`process ${pid} has no sidecar`);
  return found;
}

/** Resolves once nothing of the run is left; the test's own time limit ends a wait that never would. */
async function nothingLeft(mark: string): Promise<void> {
  while (markedProcesses(mark).length > 0) await setTimeout(20);
}

/** By the options of the job. */
const alone = new Map<string, Promise<string>>();
/** Of the same job in one worker, without MPI. */
function weightsAlone(job: readonly string[] = ["--epochs", "3"]): Promise<string> {
  const trained =
    alone.get(job.join(" ")) ??
    iris(...job, "--workers", "1")
      .then(runTrain)
      .then(({ finished }) => finished.weightsSha256);
  alone.set(job.join(" "), trained);
  return trained;
}

const ROUNDS = ["--epochs", "3", "--strategy", "local-sgd", "--sync-every", "2"];
const TOPK = ["--epochs", "3", "--compress", "topk", "--topk-fraction", "0.1"];

for (const launcher of MPI_LAUNCHERS) {
  describe.skipIf(!launcher.isInstalled)(`under mpirun of ${launcher.name}`, () => {
    // On one host auto takes what it measures to be faster.
    it.each([
      [4, "mpi", /^mpi$/],
      [2, "auto", /^(shm|hierarchical)$/],
      [1, "auto", /^local$/],
    ] as const)("%i ranks, --collective %s: the bits of one worker, exit 0", async (ranks, collective, ran) => {
      const events = await trainRanks(launcher, ranks, await iris("--epochs", "3", "--collective", collective));
      const finished = { ordered: true, workers: ranks, weightsSha256: await weightsAlone() };
      expect(finishedOf(events)).toMatchObject({ ...finished, collective: expect.stringMatching(ran) });
      const generation = events.find((event) => event.event === "generation");
      expect(new Set(generation?.workers.map(({ pid }) => pid)).size).toBe(ranks);
    });

    it.each([
      [["--epochs", "3"], ["--collective", "parameter-server"], { collective: "parameter-server", ordered: true }],
      [ROUNDS, ["--collective", "mpi"], { collective: "mpi", ordered: true }],
      [ROUNDS, ["--collective", "ring"], { collective: "ring", ordered: true }],
      [ROUNDS, ["--collective", "parameter-server"], { collective: "parameter-server", ordered: true }],
      [TOPK, [], { collective: "ring", ordered: false }],
    ])("%j %j with 2 ranks: the bits of one worker", async (job, exchange, ran) => {
      const events = await trainRanks(launcher, 2, await iris(...job, ...exchange));
      expect(finishedOf(events)).toMatchObject({ ...ran, workers: 2, weightsSha256: await weightsAlone(job) });
    });

    it("--strategy async with 2 ranks learns", async () => {
      const args = await iris("--epochs", "80", "--strategy", "async", "--max-staleness", "2");
      const events = await trainRanks(launcher, 2, args);
      const finished = finishedOf(events);
      expect(finished).toMatchObject({ collective: "parameter-server", ordered: false, workers: 2 });
      expect(finished.testAccuracy).toBeGreaterThan(0.85);
      for (const event of events) {
        if (event.event === "epoch") expect(event.maxStepsAhead).toBeLessThanOrEqual(2);
      }
    });

    it.each([
      [["--compress", "topk", "--collective", "mpi"], "--compress topk with --collective mpi"],
      [["--strategy", "async", "--collective", "mpi"], "--collective mpi with --strategy async"],
      [["--strategy", "local-sgd", "--compress", "topk"], "--compress topk with --strategy local-sgd"],
    ])("%j is refused by name, exit 4", async (wrong, says) => {
      const end = await startRanks(launcher, 2, ["train", ...(await iris("--json", ...wrong))]).ended;
      expect(end.exitCode).toBe(4);
      expect(failedOf(end)).toMatchObject({ code: "CHOICE_UNSUPPORTED", message: expect.stringContaining(says) });
    });

    it("--mpi-mode allreduce trains, and says that it keeps no order", async () => {
      const args = await iris("--epochs", "3", "--collective", "mpi", "--mpi-mode", "allreduce");
      expect(finishedOf(await trainRanks(launcher, 2, args))).toMatchObject({ collective: "mpi", ordered: false });
    });

    it.skipIf(MNIST === null)(
      "MNIST: the same bits with two ranks (needs ../shared/data/mnist/t10k-images-idx3-ubyte.gz)",
      async () => {
        const folder = await temporaryDirectory();
        const places = ["--data", MNIST ?? "", "--data-dir", join(folder, "rows")];
        const job = [join(ROOT, "examples/mnist/mnist.xml"), ...places, "--epochs", "1", "--replicas", "2"];
        const [one, two] = [join(folder, "1"), join(folder, "2")];
        const { finished } = await runTrain([...job, "--workers", "1", "--out", one]);
        const ranks = await trainRanks(launcher, 2, [...job, "--collective", "mpi", "--out", two]);
        expect(finishedOf(ranks).weightsSha256).toBe(finished.weightsSha256);
        expect(finishedOf(ranks).testAccuracy).toBeGreaterThan(0.8);
      },
    );

    it.each([0, 1])("killing rank %i: it is named, mpirun fails, and nothing is left", async (victim) => {
      const mark = randomUUID();
      const args = await iris("--epochs", "1000000", "--evaluate-every", "1000000", "--collective", "mpi", "--json");
      const run = startRanks(launcher, 3, ["train", ...args], { env: { MARK: mark } });
      await run.until((stdout) => stdout.includes('"event":"epoch","epoch":3,'));
      const { pid, host } = workersOf(run.stdout())[victim] ?? {};
      if (pid == null) throw new Error("no pid of the victim");
      process.kill(pid, "SIGKILL");
      const end = await run.ended;
      expect(end.exitCode).not.toBe(0);
      const message = expect.stringContaining(`worker rank ${victim} (${host}, pid ${pid}`);
      // Open MPI's launcher may end before it has passed on what was said about the dead rank.
      if (launcher.atItsEnd === "output" || saysFailed(end))
        expect(failedOf(end)).toMatchObject({ code: "WORKER_DIED", rank: victim, host, message });
      await nothingLeft(mark);
    });

    it("a rank that hangs in its computation: it is named, exit 5, and nothing is left", async () => {
      const mark = randomUUID();
      const faults = ["--inject-fault", "hang@rank=1,step=5", "--stall-timeout", "1"];
      const args = await iris("--epochs", "1000000", "--collective", "mpi", "--json", ...faults);
      const end = await startRanks(launcher, 2, ["train", ...args], { env: { MARK: mark } }).ended;
      expect(end.exitCode).toBe(5);
      expect(failedOf(end)).toMatchObject({ code: "WORKER_STALLED", rank: 1 });
      await nothingLeft(mark);
    });

    it("SIGTERM to mpirun ends everything", async () => {
      const mark = randomUUID();
      const args = await iris("--epochs", "1000000", "--evaluate-every", "1000000", "--json");
      const run = startRanks(launcher, 2, ["train", ...args], { env: { MARK: mark } });
      await run.until((stdout) => stdout.includes('"event":"epoch","epoch":3,'));
      run.child.kill("SIGTERM");
      const end = await run.ended;
      // Whose word holds: MPICH's launcher loses exit codes when it is signalled (pmodels/mpich#7057), Open MPI's drops what is said then.
      if (launcher.atItsEnd === "output") expect(failedOf(end)).toMatchObject({ code: "INTERRUPTED" });
      else expect(end.exitCode).not.toBe(0);
      await nothingLeft(mark);
    });

    describe.skipIf(!launcher.compiles)(`by a sidecar (${launcher.compilerPackage})`, () => {
      const sidecar = ["--collective", "mpi", "--mpi-binding", "sidecar"];

      it.each([2, 3])("%i ranks: the bits of one worker", async (ranks) => {
        const events = await trainRanks(launcher, ranks, await iris("--epochs", "3", ...sidecar));
        const finished = { ordered: true, workers: ranks, weightsSha256: await weightsAlone() };
        expect(finishedOf(events)).toMatchObject({ ...finished, collective: "mpi" });
      });

      it("two replicas by --mpi-mode allreduce: two numbers have one sum", async () => {
        const { finished } = await runTrain(await irisOf(2, "--epochs", "2", "--workers", "1"));
        const args = await irisOf(2, "--epochs", "2", ...sidecar, "--mpi-mode", "allreduce");
        const { weightsSha256 } = finished;
        expect(finishedOf(await trainRanks(launcher, 2, args))).toMatchObject({ ordered: false, weightsSha256 });
      });

      it("stands in for a library that can't be loaded, and one rank says so", async () => {
        const args = await iris("--epochs", "1", "--collective", "mpi", "--mpi-library", "libnone.so.9");
        const end = await startRanks(launcher, 2, ["train", ...args, "--json"]).ended;
        expect(finishedOf(eventsOf(end.stdout))).toMatchObject({ collective: "mpi", workers: 2 });
        const said = /^ringstrasse: libnone\.so\.9 can't be loaded \(.*\): this host's ranks call MPI by a sidecar/gm;
        expect(end.stderr.match(said)).toHaveLength(1);
      });

      it.each([0, 1])(
        "killing rank %i's sidecar: the rank is named, mpirun fails, and nothing is left",
        async (victim) => {
          const mark = randomUUID();
          const args = await iris("--epochs", "1000000", "--evaluate-every", "1000000", ...sidecar, "--json");
          const run = startRanks(launcher, 2, ["train", ...args], { env: { MARK: mark } });
          await run.until((stdout) => stdout.includes('"event":"epoch","epoch":3,'));
          const { pid, host } = workersOf(run.stdout())[victim] ?? {};
          const sidecarPid = sidecarOf(pid, mark);
          process.kill(sidecarPid, "SIGKILL");
          const end = await run.ended;
          // MPICH's launcher knows the dead process, and exits as it likes: with 1, 5 or 9.
          if (launcher.atItsEnd === "exit code") expect(end.exitCode).toBe(5);
          else expect(end.exitCode).not.toBe(0);
          expect(failedOf(end)).toMatchObject({ code: "WORKER_DIED", rank: victim, host });
          const how = `died (its MPI sidecar, pid ${sidecarPid}, was ended by SIGKILL)`;
          expect(failedOf(end).message).toMatch(
            new RegExp(`^worker rank ${victim} \\(${host}, pid ${pid}, replicas .* step \\d+ `),
          );
          expect(failedOf(end).message).toContain(how);
          await nothingLeft(mark);
        },
      );

      it("killing a rank ends its sidecar too", async () => {
        const mark = randomUUID();
        const args = await iris("--epochs", "1000000", "--evaluate-every", "1000000", ...sidecar, "--json");
        const run = startRanks(launcher, 2, ["train", ...args], { env: { MARK: mark } });
        await run.until((stdout) => stdout.includes('"event":"epoch","epoch":3,'));
        const { pid } = workersOf(run.stdout())[1] ?? {};
        expect(sidecarOf(pid, mark)).toBeGreaterThan(0);
        process.kill(pid ?? 0, "SIGKILL");
        // What a run says of it is tested above; Open MPI's launcher may end before it has passed that on.
        expect((await run.ended).exitCode).not.toBe(0);
        await nothingLeft(mark);
      });
    });

    it.each([
      [["--workers", "3"], 2, "USAGE", "mpirun -np 3"],
      [["--data", "nowhere.csv"], 3, "INPUT_MISSING", "nowhere.csv"],
    ] as const)("%j: exit %i from every rank, told once", async (wrong, exitCode, code, says) => {
      const folder = await temporaryDirectory();
      const args = [IRIS, "--out", join(folder, "run"), "--data-dir", join(folder, "rows"), "--json", ...wrong];
      const end = await startRanks(launcher, 2, ["train", ...args]).ended;
      expect(end.exitCode).toBe(exitCode);
      expect(failedOf(end)).toMatchObject({ code, message: expect.stringContaining(says) });
      expect(end.stderr.split("ringstrasse: ")).toHaveLength(2);
    });
  });
}

describe("variables of launchers", () => {
  it.each([
    [
      { SLURM_STEP_ID: "0", SLURM_PROCID: "0", SLURM_NTASKS: "2", SLURM_NNODES: "1" },
      [],
      { exitCode: 2, code: "USAGE", says: "export RINGSTRASSE_TOKEN=" },
    ],
    [
      { PMI_RANK: "0", PMI_SIZE: "1" },
      ["--mpi-library", "libnone.so.9", "--mpi-binding", "ffi"],
      { exitCode: 4, code: "COLLECTIVE_UNAVAILABLE", says: "libnone.so.9 can't be loaded" },
    ],
    [
      { PMI_RANK: "0", PMI_SIZE: "1" },
      ["--mpi-library", "libnone.so.9", "--mpi-compiler", "/nowhere/mpicc"],
      {
        exitCode: 4,
        code: "COLLECTIVE_UNAVAILABLE",
        says: "; --mpi-compiler names /nowhere/mpicc, which is not there",
      },
    ],
  ] as const)("%j %j: %j", async (env, more, { exitCode, code, says }) => {
    const { end, failed } = await runFailingTrain(await iris(...more), { env });
    expect(end.exitCode).toBe(exitCode);
    expect(failed).toMatchObject({ code, message: expect.stringContaining(says) });
  });

  it("incomplete ones are a usage error, and --launcher local trains without them", async () => {
    const env = { OMPI_COMM_WORLD_RANK: "0" };
    const { end, failed } = await runFailingTrain(await iris("--epochs", "1"), { env });
    expect(end.exitCode).toBe(2);
    expect(failed).toMatchObject({ code: "USAGE", message: expect.stringContaining("OMPI_COMM_WORLD_SIZE is not") });
    const { finished } = await runTrain(await iris("--epochs", "1", "--launcher", "local"), { env });
    expect(finished).toMatchObject({ workers: 1, collective: "local" });
  });
});
