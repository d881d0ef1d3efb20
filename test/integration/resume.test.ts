import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import {
  type CommandEnd,
  eventsOf,
  ROOT,
  runCommand,
  runFailingTrain,
  runTrain,
  startCommand,
} from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { networkXml, writeBlobs } from "../support/training-data.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");

interface Job {
  readonly folder: string;
  readonly args: readonly string[];
  readonly out: (name: string) => string;
}

/** 7 steps of 97 rows make an epoch. */
async function iris(...more: string[]): Promise<Job> {
  const folder = await temporaryDirectory();
  const args = [IRIS, "--replicas", "4", "--batch-size", "16", "--data-dir", join(folder, "rows"), ...more];
  return { folder, args, out: (name) => join(folder, name) };
}

function hashesOf({ finished }: Awaited<ReturnType<typeof runTrain>>): string {
  const { weightsSha256, stateSha256, trainLoss, testLoss, epochs, steps } = finished;
  return JSON.stringify({ weightsSha256, stateSha256, trainLoss, testLoss, epochs, steps });
}

/** All of metrics.csv that isn't time. */
async function figuresIn(out: string): Promise<string[]> {
  const text = await readFile(join(out, "metrics.csv"), "utf8");
  return text.split("\n").map((line) => line.split(",").slice(0, 8).join(","));
}

const resumedEvent = (end: Pick<CommandEnd, "stdout">) =>
  eventsOf(end.stdout).find((event) => event.event === "resumed") ?? null;

describe("a run that goes on from a checkpoint", () => {
  it("ends with the undisturbed run's bits and records: 1, then 2, then 3 workers", async () => {
    // A run that ends doesn't wait for a checkpoint: there must be time to write one.
    const job = await iris("--epochs", "200", "--evaluate-every", "10");
    const whole = await runTrain([...job.args, "--out", job.out("whole")]);
    // One in the middle of an epoch, one between two: the first of each run, since one that is still being written keeps the next from being taken.
    for (const [often, endsEpoch, workers] of [
      [["--checkpoint-steps", "10"], false, 2],
      [["--checkpoint-epochs", "7"], true, 3],
    ] as const) {
      const kept = [...often, "--keep-checkpoints", "200"];
      const first = await runTrain([...job.args, ...kept, "--out", job.out(`first-${workers}`)]);
      expect(hashesOf(first)).toBe(hashesOf(whole));
      const saved = first.events.find((event) => event.event === "checkpoint");
      expect(saved?.endsEpoch).toBe(endsEpoch);
      const out = job.out(`on-${workers}`);
      const resume = ["--resume", saved?.file ?? "no checkpoint"];
      const resumed = await runTrain([...job.args, "--workers", `${workers}`, ...resume, "--out", out]);
      expect(hashesOf(resumed)).toBe(hashesOf(whole));
      expect(resumed.finished.jobId).toBe(first.finished.jobId);
      expect(resumed.steps[0]?.step).toBe((saved?.step ?? 0) + 1);
      expect(await figuresIn(out)).toEqual(await figuresIn(job.out("whole")));
      const compared = await runCommand(["diff", job.out("whole"), out]);
      expect(compared).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("identical, up to epoch 200") });
    }
  });

  it.each(["momentum", "adam"])("%s with dropout, batch norm, clipping, a schedule and fp16", async (optimizer) => {
    const folder = await temporaryDirectory();
    const data = await writeBlobs(folder, 101);
    const parameters = { learningrate: 0.05, optimizer, schedule: "cosine", gradientNormalizationThreshold: 0.5 };
    const plain = networkXml({ inputs: 2, hidden: [8, 25, 1, 6], outputs: 3, parameters });
    const document = join(folder, "network.xml");
    await writeFile(
      document,
      plain.replace("<ID>Hidden2<", "<ID>DropOut1<").replace("<ID>Hidden3<", "<ID>BatchNorm1<"),
    );
    const args = [
      document,
      "--data",
      data,
      "--epochs",
      "4",
      "--batch-size",
      "20",
      "--replicas",
      "3",
      "--compress",
      "fp16",
    ];
    const often = ["--checkpoint-steps", "3", "--keep-checkpoints", "100", "--data-dir", join(folder, "rows")];
    const whole = await runTrain([...args, ...often, "--out", join(folder, "whole")]);
    const saved = whole.events.filter((event) => event.event === "checkpoint");
    const resume = saved.at(-1)?.file ?? "no checkpoint";
    const more = [
      "--workers",
      "2",
      "--resume",
      resume,
      "--out",
      join(folder, "on"),
      "--data-dir",
      join(folder, "rows"),
    ];
    expect(hashesOf(await runTrain([...args, ...more]))).toBe(hashesOf(whole));
    // Weights alone would not do: the state is more than they are.
    expect(whole.finished.stateSha256).not.toBe(whole.finished.weightsSha256);
  });

  it("after its coordinator was killed, from the checkpoint before a damaged one, stopping at the same threshold", async () => {
    const folder = await temporaryDirectory();
    const data = await writeBlobs(folder, 400);
    const parameters = { learningrate: 0.001, optimizer: "momentum", threshold: 0.4 };
    const document = join(folder, "network.xml");
    await writeFile(document, networkXml({ inputs: 2, hidden: [5], outputs: 3, parameters }));
    const job = ["--data", data, "--epochs", "2000", "--batch-size", "4", "--replicas", "4"];
    const args = [document, ...job, "--data-dir", join(folder, "rows")];
    const whole = await runTrain([...args, "--out", join(folder, "whole")]);
    // It must be the threshold that ends it.
    expect(whole.finished.epochs).toBeGreaterThan(2);
    expect(whole.finished.epochs).toBeLessThan(2000);
    const out = join(folder, "killed");
    const run = startCommand(["train", ...args, "--checkpoint-steps", "20", "--out", out, "--json"]);
    await run.until((stdout) => stdout.split('"event":"checkpoint"').length > 3);
    run.child.kill("SIGKILL");
    expect((await run.ended).signal).toBe("SIGKILL");
    const names = (await readdir(join(out, "checkpoints"))).filter((name) => name.startsWith("step-")).sort();
    const newest = join(out, "checkpoints", names.at(-1) ?? "");
    await truncate(newest, 100);
    const again = await runFailingTrain([...args, "--out", out]);
    expect(again.failed).toMatchObject({
      code: "OUTPUT_UNWRITABLE",
      message: expect.stringContaining(`--resume ${out}`),
    });
    const resumed = await runTrain([...args, "--workers", "3", "--resume", out]);
    const message = expect.stringContaining(`checkpoint not used: ${newest}: it has 100 bytes`);
    expect(resumed.events).toContainEqual({ event: "warning", message });
    expect(resumed.events).toContainEqual(
      expect.objectContaining({ event: "resumed", file: join(out, "checkpoints", names.at(-2) ?? "") }),
    );
    expect(hashesOf(resumed)).toBe(hashesOf(whole));
    expect(await figuresIn(out)).toEqual(await figuresIn(join(folder, "whole")));
  });

  it("refuses another seed by name, before it touches anything", async () => {
    const job = await iris("--epochs", "200", "--evaluate-every", "200", "--checkpoint-steps", "5");
    await runTrain([...job.args, "--out", job.out("run")]);
    const { end, failed } = await runFailingTrain([...job.args, "--seed", "7", "--resume", job.out("run")]);
    expect(end.exitCode).toBe(2);
    expect(failed).toMatchObject({
      code: "RESUME_MISMATCH",
      message: expect.stringMatching(/the seed was 6, and is 7\. Give --seed 6/),
    });
    expect(await readdir(job.out("run"))).toContain("result.json");
  });
});

describe("a run that goes on in another directory", () => {
  it("leaves the checkpoints of an unfinished run there alone, and removes those of a finished one", async () => {
    // A run that ends doesn't wait for a checkpoint: each has a hundred epochs to be written in.
    const job = await iris("--epochs", "300", "--evaluate-every", "300", "--checkpoint-epochs", "100");
    const [from, out] = [job.out("from"), job.out("other")];
    const { finished, events } = await runTrain([...job.args, "--out", from]);
    const first = events.find((event) => event.event === "checkpoint")?.file ?? "";
    await runTrain([...job.args, "--seed", "7", "--out", out]);
    const checkpoints = join(out, "checkpoints");
    const kept = await readdir(checkpoints);
    const metrics = await readFile(join(out, "metrics.csv"), "utf8");
    const result = await readFile(join(out, "result.json"));
    await rm(join(out, "result.json"));
    const on = [...job.args, "--resume", first, "--out", out];
    const { failed } = await runFailingTrain(on);
    expect(failed).toMatchObject({ code: "OUTPUT_UNWRITABLE", message: expect.stringContaining(`--resume ${out}`) });
    expect(await readdir(checkpoints)).toEqual(kept);
    expect(await readFile(join(out, "metrics.csv"), "utf8")).toBe(metrics);

    await writeFile(join(out, "result.json"), result);
    const resumed = await runTrain(on);
    expect(resumed.finished.stateSha256).toBe(finished.stateSha256);
    expect((await readdir(checkpoints)).length).toBe(1);
  });
});

describe("a run that is told to end", () => {
  it.each(["SIGTERM", "SIGUSR1"] as const)(
    "%s to all its processes: saves, exit 130, and goes on with --resume auto",
    async (signal) => {
      const epochs = "150";
      const job = await iris("--epochs", epochs, "--evaluate-every", "50");
      const args = ["train", ...job.args, "--workers", "2", "--out", job.out("run"), "--resume", "auto", "--json"];
      const run = startCommand(args);
      await run.until((stdout) => stdout.includes('"event":"step"'));
      const generation = eventsOf(run.stdout().slice(0, run.stdout().lastIndexOf("\n"))).find(
        (event) => event.event === "generation",
      );
      // As batch systems and `timeout` do.
      for (const worker of generation?.workers ?? []) process.kill(worker.pid ?? 0, signal);
      run.child.kill(signal);
      const end = await run.ended;
      expect(end.exitCode).toBe(130);
      const [checkpoint, failed] = eventsOf(end.stdout).slice(-2);
      expect(checkpoint).toMatchObject({ event: "checkpoint" });
      const message = `interrupted by ${signal}; go on with --resume ${job.out("run")}`;
      expect(failed).toMatchObject({ event: "failed", code: "INTERRUPTED", message });
      const resumed = await runCommand(args);
      expect(resumedEvent(resumed)).toMatchObject({ step: checkpoint?.event === "checkpoint" ? checkpoint.step : -1 });
      const whole = await runTrain([...job.args, "--out", job.out("whole")]);
      expect(eventsOf(resumed.stdout).at(-1)).toMatchObject({
        weightsSha256: whole.finished.weightsSha256,
        stateSha256: whole.finished.stateSha256,
      });
    },
  );

  it("while its workers prepare: saves after the first step that it goes on with", async () => {
    const job = await iris("--epochs", "150", "--evaluate-every", "50");
    const args = ["train", ...job.args, "--workers", "2", "--out", job.out("run"), "--resume", "auto", "--json"];
    const endAt = async (event: string): Promise<CommandEnd> => {
      const run = startCommand(args);
      await run.until((stdout) => stdout.includes(`"event":"${event}"`));
      run.child.kill("SIGTERM");
      return await run.ended;
    };
    await endAt("step");
    // Workers have been given their places, but have no engine yet, and not the state that they go on from.
    const end = await endAt("generation");
    expect(end.exitCode).toBe(130);
    const [checkpoint, failed] = eventsOf(end.stdout).slice(-2);
    expect(checkpoint).toMatchObject({ event: "checkpoint" });
    const message = `interrupted by SIGTERM; go on with --resume ${job.out("run")}`;
    expect(failed).toMatchObject({ event: "failed", code: "INTERRUPTED", message });
    const step = checkpoint?.event === "checkpoint" ? checkpoint.step : -1;
    expect(step).toBeGreaterThan(resumedEvent(end)?.step ?? Number.POSITIVE_INFINITY);
    expect(resumedEvent(await endAt("generation"))).toMatchObject({ step });
  });
});

describe("a disk that takes no checkpoint", () => {
  it("is a warning each time, and not the end", async () => {
    const folder = await temporaryDirectory();
    const data = await writeBlobs(folder, 60);
    const document = join(folder, "network.xml");
    await writeFile(document, networkXml({ inputs: 2, hidden: [6000], outputs: 3, parameters: { optimizer: "adam" } }));
    const args = [
      document,
      "--data",
      data,
      "--epochs",
      "100",
      "--data-dir",
      join(folder, "rows"),
      "--out",
      join(folder, "run"),
    ];
    // 36,003 floats: 144 kB of weights, 432 kB of state; nothing may be longer than 300 kB.
    const limited = { through: ["bash", "-c", 'ulimit -f 300; exec "$@"', "bash"] };
    const { events } = await runTrain([...args, "--checkpoint-epochs", "1"], limited);
    const warnings = events.filter((event) => event.event === "warning");
    expect(warnings.length).toBeGreaterThan(1);
    for (const { message } of warnings)
      expect(message).toMatch(/^no checkpoint at epoch \d+, step \d+: .*step-0000000000\d\d\.ckpt: .*ulimit -f/);
    expect(await readdir(join(folder, "run/checkpoints"))).toEqual([]);
  });
});
