import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SavedCheckpoint } from "../../coordinator/checkpoint/saved-checkpoint.js";
import type { EpochEvent, StepEvent } from "../../shared/train-events.js";
import { ROOT, runTrain } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const JOB = [IRIS, "--strategy", "async", "--batch-size", "16", "--engine", "wasm"];
/** 97 training rows. */
const STEPS_PER_EPOCH = 7;

async function updatesIn(checkpoint = "none"): Promise<number | undefined> {
  await using saved = await SavedCheckpoint.open(checkpoint);
  return saved.description.position.updates;
}

describe("--strategy async", () => {
  it("uses every row once an epoch, keeps workers close enough, tells how old parameters were, and learns as sync does", async () => {
    const folder = await temporaryDirectory();
    const out = join(folder, "run");
    const places = ["--data-dir", join(folder, "rows"), "--out", out];
    const flags = ["--workers", "3", "--replicas", "4", "--max-staleness", "2", "--epochs", "80"];
    const { events, finished } = await runTrain([...JOB, ...flags, ...places]);
    expect(finished).toMatchObject({ collective: "parameter-server", ordered: false, steps: 80 * STEPS_PER_EPOCH });
    const steps = events.filter((event): event is StepEvent => event.event === "step");
    const epochs = events.filter((event): event is EpochEvent => event.event === "epoch");
    for (const { epoch, maxStaleness = -1, maxStepsAhead = -1, meanStaleness = -1 } of epochs) {
      const ofEpoch = steps.filter((step) => step.epoch === epoch);
      expect(ofEpoch.reduce((sum, { rows }) => sum + rows, 0)).toBe(97);
      const workers = ofEpoch.flatMap((step) => step.workers);
      expect(maxStepsAhead).toBe(Math.max(...workers.map(({ stepsAhead = -1 }) => stepsAhead)));
      expect(maxStaleness).toBe(Math.max(...workers.map(({ staleness = -1 }) => staleness)));
      expect(maxStepsAhead).toBeLessThanOrEqual(2);
      expect(meanStaleness).toBeLessThanOrEqual(maxStaleness);
      // Rank 0 has the parameters: what the others get in an epoch it has sent, and the other way round.
      const moved = (kind: "sentBytes" | "receivedBytes", isServer: boolean) =>
        workers.filter(({ rank }) => (rank === 0) === isServer).reduce((sum, worker) => sum + worker[kind], 0);
      expect(moved("sentBytes", true)).toBe(moved("receivedBytes", false));
      expect(moved("receivedBytes", true)).toBe(moved("sentBytes", false));
      expect(moved("sentBytes", true)).toBeGreaterThan(0);
    }
    expect(epochs.at(-1)?.trainLoss).toBeLessThan(0.2);
    const [header = "", row = ""] = (await readFile(join(out, "metrics.csv"), "utf8")).split("\n");
    const column = header.split(",").indexOf("maxStepsAhead");
    expect(Number(row.split(",")[column])).toBe(epochs[0]?.maxStepsAhead);
    const sync = await runTrain([
      ...[IRIS, "--batch-size", "16", "--engine", "wasm", "--workers", "1", "--epochs", "80"],
      ...["--data-dir", join(folder, "rows"), "--out", join(folder, "sync")],
    ]);
    expect(Math.abs(finished.trainLoss - sync.finished.trainLoss)).toBeLessThan(0.05);
    // One of 53 test rows is more than a point: it may tip.
    expect(Math.abs((finished.testAccuracy ?? 0) - (sync.finished.testAccuracy ?? 0))).toBeLessThan(0.03);
  });

  it("goes on from the end of an epoch, on another number of workers", async () => {
    const folder = await temporaryDirectory();
    const job = [...JOB, "--replicas", "2", "--epochs", "40", "--data-dir", join(folder, "rows")];
    const often = ["--checkpoint-epochs", "4", "--keep-checkpoints", "100"];
    const whole = await runTrain([...job, ...often, "--workers", "2", "--out", join(folder, "whole")]);
    const saved = whole.events.find((event) => event.event === "checkpoint");
    expect(saved).toMatchObject({ epoch: 4, step: 4 * STEPS_PER_EPOCH, endsEpoch: true });
    // The last step of an epoch has one row, which one worker has.
    const updates = 4 * (2 * STEPS_PER_EPOCH - 1);
    expect(await updatesIn(saved?.file)).toBe(updates);
    const on = ["--workers", "1", "--resume", saved?.file ?? "none", "--out", join(folder, "on")];
    const { events, finished } = await runTrain([...job, ...often, ...on]);
    expect(events.find((event) => event.event === "resumed")).toMatchObject({ epoch: 4, step: 4 * STEPS_PER_EPOCH });
    const epochs = events.filter((event) => event.event === "epoch");
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 36 }, (_, index) => 5 + index));
    expect(finished).toMatchObject({ ordered: false, steps: 40 * STEPS_PER_EPOCH });
    const next = events.find((event) => event.event === "checkpoint");
    expect(await updatesIn(next?.file)).toBe(updates + ((next?.epoch ?? 0) - 4) * STEPS_PER_EPOCH);
  });
});
