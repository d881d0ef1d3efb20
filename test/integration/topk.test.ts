import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, runFailingTrain, runTrain, type TrainRun } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { writeBlobs, writeNetwork } from "../support/training-data.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");

interface KeptRun extends TrainRun {
  readonly folder: string;
}

async function train(args: readonly string[]): Promise<KeptRun> {
  const folder = await temporaryDirectory();
  const run = await runTrain(["--data-dir", join(folder, "rows"), "--out", join(folder, "out"), ...args]);
  return { folder, ...run };
}

/** What a run led to, and the losses of its last steps. */
function bitsOf({ finished, steps }: TrainRun, lastSteps = 5): string {
  const { weightsSha256, stateSha256, testLoss } = finished;
  const losses = steps.map(({ loss }) => loss).slice(-lastSteps);
  return JSON.stringify({ weightsSha256, stateSha256, testLoss, losses });
}

const sentBytes = ({ steps }: TrainRun): number =>
  steps[0]?.workers.reduce((sum, worker) => sum + worker.sentBytes, 0) ?? Number.NaN;

describe("--compress topk", () => {
  it("gives one result on any number of workers, though not the canonical sums; goes on from a checkpoint", async () => {
    const folder = await temporaryDirectory();
    const data = await writeBlobs(folder, 300);
    const parameters = { learningrate: 0.05, optimizer: "momentum", epochs: 4, batchsize: 24 };
    const document = await writeNetwork(folder, { inputs: 2, hidden: [40, 40], outputs: 3, parameters });
    const job = [document, "--data", data, "--replicas", "4"];
    const topk = [...job, "--compress", "topk", "--topk-fraction", "0.02"];
    const one = await train([...topk, "--workers", "1"]);
    const two = await train([...topk, "--workers", "2", "--checkpoint-steps", "7", "--keep-checkpoints", "9"]);
    const four = await train([...topk, "--workers", "4", "--transport", "tcp"]);
    expect(new Set([one, two, four].map((run) => bitsOf(run))).size).toBe(1);
    expect([one, two].map(({ finished: { collective, ordered } }) => [collective, ordered])).toEqual([
      ["local", false],
      ["ring", false],
    ]);
    const { file = "", step = 0 } = two.events.findLast(
      (event) => event.event === "checkpoint" && !event.endsEpoch,
    ) as {
      file?: string;
      step?: number;
    };
    const resumed = await train([...topk, "--workers", "3", "--resume", file]);
    expect(resumed.steps[0]?.step).toBe(step + 1);
    // A checkpoint that is wanted while the last one is still on its way is taken a step later.
    const { length } = resumed.steps;
    expect(length).toBeGreaterThan(0);
    expect(bitsOf(resumed, length)).toBe(bitsOf(two, length));

    const whole = await train([...job, "--workers", "2", "--collective", "ring"]);
    expect(whole.finished.weightsSha256).not.toBe(two.finished.weightsSha256);
    // 1,883 parameters in 4 bytes each, against 38 in 8 bytes for each replica, and scalars.
    expect(sentBytes(two)).toBe(4 * (38 * 8 + 5 * 8));
    expect(sentBytes(whole) / sentBytes(two)).toBeGreaterThan(8);
    expect(two.epochs.at(-1)?.trainLoss).toBeLessThan(0.95 * (two.epochs[0]?.trainLoss ?? 0));
  });

  it.each(["shm", "hierarchical"])("is refused by name where nothing travels alone: %s", async (collective) => {
    const folder = await temporaryDirectory();
    const args = [IRIS, "--workers", "2", "--compress", "topk", "--collective", collective];
    const { end, failed } = await runFailingTrain([...args, "--out", join(folder, "out")]);
    expect([end.exitCode, failed.code]).toEqual([4, "CHOICE_UNSUPPORTED"]);
    expect(failed.message).toContain(`--compress topk with --collective ${collective}`);
  });
});
