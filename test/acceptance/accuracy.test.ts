import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CAN_HAVE_ENGINE, INSTALL_MS, installedEngine, NEEDS_ENGINE } from "../support/installed-engine.js";
import { realData } from "../support/real-data.js";
import { type CommandSurroundings, ROOT, runTrain, type TrainRun } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** Trains an example with the product's own document. */
async function trainExample(
  document: string,
  flags: readonly string[],
  around: CommandSurroundings = {},
): Promise<TrainRun["finished"]> {
  const folder = await temporaryDirectory();
  const places = ["--data-dir", join(folder, "rows"), "--out", join(folder, "run")];
  const { finished } = await runTrain([join(ROOT, "examples", document), ...flags, ...places], around);
  return finished;
}

/** On held-out rows. @throws when nothing was held out */
function accuracyOf({ testAccuracy }: TrainRun["finished"]): number {
  if (testAccuracy === null) throw new Error("the run has no test accuracy");
  return testAccuracy;
}

/** Of an even number of values: the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** Testing after the last epoch alone changes no bit, and saves time. */
const TEST_ONCE = ["--evaluate-every", "1000000"];

describe("iris as in the thesis: 4-3-3-3, tanh, learning rate 0.1, 500 passes, 35 % held out", () => {
  it("at least 0.90 with its seed 6; a median of at least 0.94 over the seeds 1 to 10", async () => {
    const bySeed = new Map<number, number>();
    for (let seed = 1; seed <= 10; seed++) {
      const finished = await trainExample("iris/iris.xml", ["--seed", `${seed}`, ...TEST_ONCE]);
      expect(finished).toMatchObject({ epochs: 500, steps: 500 });
      bySeed.set(seed, accuracyOf(finished));
    }
    const asPublished = await trainExample("iris/iris.xml", TEST_ONCE);
    // 53 rows of 150 are held out.
    const right = accuracyOf(asPublished) * 53;
    expect(right).toBeCloseTo(Math.round(right), 9);
    expect(accuracyOf(asPublished)).toBe(bySeed.get(6));
    expect(accuracyOf(asPublished)).toBeGreaterThanOrEqual(0.9);
    const accuracies = [...bySeed.values()];
    expect({ accuracies, enough: median(accuracies) >= 0.94 }).toMatchObject({ enough: true });
  });
});

describe("real data", () => {
  it("optical digits, which come with the product: at least 0.95 on the fifth that is held out", async () => {
    const finished = await trainExample("digits/digits.xml", ["--workers", "2", ...TEST_ONCE]);
    expect(accuracyOf(finished)).toBeGreaterThanOrEqual(0.95);
  });

  const wines = realData("wines.csv");
  it.skipIf(wines === null)("wines: at least 0.825 on the held-out rows (needs ../shared/data/wines.csv)", async () => {
    const finished = await trainExample("wines/wines.xml", ["--data", wines ?? "", "--workers", "2", ...TEST_ONCE]);
    // Nearly 0.8 is what always saying "0" gives.
    expect(accuracyOf(finished)).toBeGreaterThanOrEqual(0.825);
  });

  const [train, test] = ["train10k", "t10k"].map((name) => realData(`mnist/${name}-images-idx3-ubyte.gz`));
  it.skipIf(!train || !test)(
    "MNIST 784-528-10, 10,000 digits, batch 100, 5 epochs: at least 0.93 on the 10,000 test digits (needs ../shared/data/mnist)",
    async () => {
      const data = ["--data", train ?? "", "--test-data", test ?? ""];
      const finished = await trainExample("mnist/mnist.xml", [...data, "--workers", "2", ...TEST_ONCE]);
      expect(finished).toMatchObject({ epochs: 5, steps: 500 });
      expect(accuracyOf(finished)).toBeGreaterThanOrEqual(0.93);
    },
  );

  it("the small convolutional network of the digits, in engine wasm: at least 0.95 on the fifth that is held out", async () => {
    const finished = await trainExample("cnn/digits-cnn.xml", ["--engine", "wasm", ...TEST_ONCE]);
    expect(finished).toMatchObject({ engine: "wasm", epochs: 10, steps: 450 });
    expect(accuracyOf(finished)).toBeGreaterThanOrEqual(0.95);
  });

  it.skipIf(!train || !test || !CAN_HAVE_ENGINE)(
    `MNIST's convolutional network, 10,000 digits, 5 epochs: at least 0.975 on the 10,000 test digits (needs ../shared/data/mnist; ${NEEDS_ENGINE})`,
    async () => {
      const env = await installedEngine();
      const flags = ["--data", train ?? "", "--test-data", test ?? "", "--engine", "tensorflow", ...TEST_ONCE];
      const finished = await trainExample("cnn/mnist-cnn.xml", flags, { env });
      expect(finished).toMatchObject({ engine: "tensorflow", epochs: 5, steps: 1000 });
      expect(accuracyOf(finished)).toBeGreaterThanOrEqual(0.975);
    },
    INSTALL_MS + 900_000,
  );
});
