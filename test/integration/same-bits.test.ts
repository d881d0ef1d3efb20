import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FinishedEvent } from "../../shared/train-events.js";
import { realData } from "../support/real-data.js";
import { ROOT, runTrain } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { writeBlobs, writeNetwork } from "../support/training-data.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");

/** Runs the same job once per list of extra flags, each of which must have been heeded; returns the hashes that must be one. */
async function hashes(args: readonly string[], variants: readonly (readonly string[])[]): Promise<string[]> {
  const folder = await temporaryDirectory();
  const found: string[] = [];
  for (const [index, variant] of variants.entries()) {
    const run = await runTrain([
      ...args,
      ...variant,
      "--data-dir",
      join(folder, "rows"),
      "--out",
      join(folder, `${index}`),
    ]);
    expectHeeded([...args, ...variant], run.finished);
    found.push(`${run.finished.weightsSha256} ${run.finished.stateSha256} ${run.finished.testLoss}`);
  }
  return found;
}

/** Else all variants might be the same run. */
function expectHeeded(flags: readonly string[], { workers: count, replicas, collective }: FinishedEvent): void {
  const wanted = (flag: string): string | undefined => flags[flags.indexOf(flag) + 1 || flags.length];
  const heeded = { "--workers": `${count}`, "--replicas": `${replicas}`, "--collective": collective };
  for (const [flag, value] of Object.entries(heeded)) expect([flag, value]).toEqual([flag, wanted(flag) ?? value]);
}

const workers = (...counts: number[]): string[][] => counts.map((count) => ["--workers", String(count)]);

describe("same job, same bits", () => {
  it("iris: 1, 2, 3 and 4 workers, twice over", async () => {
    const found = await hashes([IRIS, "--replicas", "4", "--epochs", "60"], workers(1, 2, 3, 4, 1, 2, 3, 4));
    expect(new Set(found).size).toBe(1);
  });

  it("1,009 rows in batches of 37 over 5 replicas (uneven slices), and of 3 (empty ones); tcp and ipc", async () => {
    const folder = await temporaryDirectory();
    const data = await writeBlobs(folder, 1009);
    const document = await writeNetwork(folder, {
      inputs: 2,
      hidden: [7],
      outputs: 3,
      parameters: { learningrate: 0.05, optimizer: "adam", epochs: 2 },
    });
    for (const [batchSize, transports] of [
      ["37", ["tcp", "ipc", "tcp"]],
      ["3", ["ipc", "tcp", "ipc"]],
    ] as const) {
      const args = [document, "--data", data, "--replicas", "5", "--batch-size", batchSize];
      const ring = [2, 3, 5].map((count, index) => ["--workers", `${count}`, "--transport", transports[index] ?? ""]);
      const found = await hashes(args, [["--workers", "1"], ...ring]);
      expect(new Set(found).size).toBe(1);
    }
  });

  it("shared memory, the ring of sockets, the hierarchical one and the server, chosen by name and by itself", async () => {
    const shm = [2, 3, 4].map((count) => ["--workers", `${count}`, "--collective", "shm"]);
    const rings = ["ring", "hierarchical", "parameter-server"].map((name) => ["--workers", "3", "--collective", name]);
    const server = ["--workers", "2", "--collective", "parameter-server", "--transport", "tcp"];
    const others = [...rings, server, ["--workers", "1"], ...workers(2)];
    const found = await hashes([IRIS, "--replicas", "5", "--epochs", "30"], [...shm, ...others]);
    expect(new Set(found).size).toBe(1);
  });

  it("links over tcp, encrypted and plain: round a ring, through the server, and the largest gradients alone", async () => {
    const ring = ["--collective", "ring", "--transport", "tcp"];
    const server = ["--workers", "2", "--collective", "parameter-server", "--transport", "tcp", "--encrypt"];
    const rings = [2, 3].map((count) => ["--workers", `${count}`, ...ring, "--encrypt"]);
    const job = [IRIS, "--replicas", "5", "--epochs", "30"];
    expect(new Set(await hashes(job, [["--workers", "2", ...ring], ...rings, server])).size).toBe(1);
    const topk = [...job, "--workers", "2", "--compress", "topk", "--topk-fraction", "0.3", "--transport", "tcp"];
    expect(new Set(await hashes(topk, [[], ["--encrypt"]])).size).toBe(1);
  });

  it("tiny models: 2 parameters, more replicas than blocks", async () => {
    const folder = await temporaryDirectory();
    const data = await writeBlobs(folder, 40, 2);
    const document = await writeNetwork(folder, {
      inputs: 2,
      hidden: [],
      outputs: 1,
      problem: "Approximators",
      parameters: { learningrate: 0.05, epochs: 3 },
    });
    const found = await hashes([document, "--data", data, "--replicas", "8"], workers(1, 2, 3, 8));
    expect(new Set(found).size).toBe(1);
  });

  it("another number of replicas gives other bits: the check above can fail", async () => {
    const found = await hashes(
      [IRIS, "--epochs", "5"],
      [
        ["--replicas", "4"],
        ["--replicas", "3"],
      ],
    );
    expect(new Set(found).size).toBe(2);
  });

  const images = realData("mnist/train10k-images-idx3-ubyte.gz");
  it.skipIf(images === null)("MNIST, 10,000 digits, 1 to 4 workers (needs ../shared/data/mnist)", async () => {
    const test = realData("mnist/t10k-images-idx3-ubyte.gz");
    const args = [join(ROOT, "examples/mnist/mnist.xml"), "--data", images ?? "", "--test-data", test ?? ""];
    const found = await hashes([...args, "--replicas", "4", "--epochs", "1"], workers(1, 2, 3, 4));
    expect(new Set(found).size).toBe(1);
  });
});
