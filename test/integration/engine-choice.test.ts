import { existsSync } from "node:fs";
import { cp, mkdir, open, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { beforeAll, describe, expect, it } from "vitest";
import { locateEngine } from "../../shared/engine-store/locate-engine.js";
import { CAN_HAVE_ENGINE, INSTALL_MS, installedEngine, NEEDS_ENGINE } from "../support/installed-engine.js";
import { realData } from "../support/real-data.js";
import { expectRefusedTrain, workplace } from "../support/refused-run.js";
import { eventsOf, ROOT, runCommand, runTrain, startCommand } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { networkXml, writeBlobs, writeNetwork } from "../support/training-data.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const TOKEN = "a token for this test alone";
const INSTALL = "Run: ringstrasse engine install cpu";

/** A machine without native engines and GPUs. */
async function bare(): Promise<Record<string, string>> {
  return { ["RINGSTRASSE_ENGINE_DIR"]: await temporaryDirectory(), ["CUDA_VISIBLE_DEVICES"]: "" };
}

describe("an engine that is not here", () => {
  it.each([
    ["tensorflow", ["engine tensorflow: it is not installed in ", INSTALL]],
    ["tensorflow-gpu", ["engine tensorflow-gpu: no GPU that it could use is here", "--engine tensorflow"]],
  ])("--engine %s: named, with what to do, before anything is written", async (engine, says) => {
    const place = await workplace();
    const refusal = { exitCode: 4, code: "ENGINE_UNAVAILABLE", says } as const;
    await expectRefusedTrain(place, [IRIS, "--engine", engine], refusal, { env: await bare() });
    expect(existsSync(place.out)).toBe(false);
  });

  it("asked for by the document's hardware: the same", async () => {
    const place = await workplace();
    const document = join(place.folder, "net.xml");
    const hardware = `<executionEnvironment><serial>false</serial><parallel><software><data><structural><spmd><multicore/></spmd>
      </structural></data></software><hardware><general><comboparameter name="engine">tensorflow</comboparameter></general>
      </hardware></parallel></executionEnvironment>`;
    const plain = networkXml({ inputs: 2, hidden: [3], outputs: 3 });
    await writeFile(document, plain.replace(/<executionEnvironment>.*<\/executionEnvironment>/, hardware));
    const data = await writeBlobs(place.folder, 30);
    const refusal = { exitCode: 4, code: "ENGINE_UNAVAILABLE", says: ["engine tensorflow", INSTALL] } as const;
    await expectRefusedTrain(place, [document, "--data", data], refusal, { env: await bare() });
  });

  it("auto takes wasm, says why, and keeps the choice with the result", async () => {
    const out = join(await temporaryDirectory(), "out");
    const { events, finished } = await runTrain([IRIS, "--epochs", "2", "--out", out], { env: await bare() });
    const reason = "tensorflow-gpu: no GPU here; tensorflow: not installed (ringstrasse engine install cpu)";
    expect(events[0]).toMatchObject({ event: "started", configuration: { engine: "wasm", engineReason: reason } });
    expect(finished.engine).toBe("wasm");
    const { configuration } = JSON.parse(await readFile(join(out, "result.json"), "utf8"));
    expect(configuration).toMatchObject({ engine: "wasm", engineFacts: { name: "wasm", threads: 1 } });
    expect(configuration.sources).toMatchObject({ engine: "default", threads: "default" });
  });

  it("auto has no engine for mixed precision: refused before an earlier run's result is touched", async () => {
    const out = join(await temporaryDirectory(), "out");
    const env = await bare();
    await runTrain([IRIS, "--epochs", "2", "--out", out], { env });
    const before = await readFile(join(out, "result.json"));
    const again = await runCommand(["train", IRIS, "--precision", "bfloat16", "--out", out], { env });
    expect(again.exitCode, again.stderr).toBe(4);
    expect(again.stderr).toMatch(/--precision bfloat16.*ringstrasse engine install cpu/);
    expect(await readFile(join(out, "result.json"))).toEqual(before);
  });

  it("serve refuses to start without the engine that it was told to have", async () => {
    const args = ["serve", "--engine", "tensorflow", "--port", "0", "--control-port", "0"];
    const data = join(await temporaryDirectory(), "data");
    const { exitCode, stderr } = await runCommand([...args, "--data-dir", data], { env: await bare() });
    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: expect.stringContaining(INSTALL) });
    expect(existsSync(data)).toBe(false);
  });

  it("several threads of wasm are refused by name", async () => {
    const place = await workplace();
    const says = ["--threads 2 is not available", "use --engine tensorflow"];
    const args = [IRIS, "--engine", "wasm", "--threads", "2"];
    await expectRefusedTrain(place, args, { exitCode: 4, code: "CHOICE_UNSUPPORTED", says });
  });
});

describe("workers started by hand", () => {
  async function coordinator(flags: readonly string[], env: Record<string, string>) {
    const folder = await temporaryDirectory();
    const job = ["train", IRIS, "--epochs", "3", "--json", "--launcher", "none", "--port", "0", "--token", TOKEN];
    const places = ["--data-dir", join(folder, "rows"), "--out", join(folder, "out")];
    const running = startCommand([...job, ...flags, ...places], { env });
    let command = "";
    await running.until((_, stderr) => {
      command = /ringstrasse worker (.+)\n/.exec(stderr)?.[1] ?? "";
      return command !== "";
    });
    return { running, command: command.split(" ") };
  }

  it("without the job's engine: both sides say which host has to install it, exit 4", async () => {
    const env = { ...(await bare()), RINGSTRASSE_TOKEN: TOKEN };
    const { running, command } = await coordinator(["--engine", "tensorflow"], env);
    expect(command.slice(2)).toEqual(["--engine", "tensorflow"]);
    const asTold = await runCommand(["worker", ...command], { env });
    expect({ exitCode: asTold.exitCode, stderr: asTold.stderr }).toEqual({
      exitCode: 4,
      stderr: expect.stringContaining(INSTALL),
    });
    const other = await runCommand(["worker", ...command.slice(0, 2), "--engine", "wasm"], { env });
    const end = await running.ended;
    const says =
      /worker \S+ on \S+ has not got tensorflow with 1 thread, but wasm with 1 thread\. On \S+ run: ringstrasse/;
    expect({ worker: other.exitCode, coordinator: end.exitCode }).toEqual({ worker: 4, coordinator: 4 });
    expect(other.stderr).toMatch(says);
    expect(eventsOf(end.stdout).at(-1)).toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      message: expect.stringMatching(says),
    });
  });

  it("auto: what all of them have, and the generation says so", async () => {
    const env = { ...(await bare()), RINGSTRASSE_TOKEN: TOKEN };
    const { running, command } = await coordinator(["--workers", "2"], env);
    expect(command).toHaveLength(2);
    const ends = await Promise.all([0, 1].map(() => runCommand(["worker", ...command], { env })));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const events = eventsOf((await running.ended).stdout);
    const [generation] = events.filter((event) => event.event === "generation");
    expect(generation?.reason).toMatch(
      /; engine wasm, the fastest that all workers have; tensorflow-gpu: not on all workers/,
    );
    expect(events.at(-1)).toMatchObject({ event: "finished", engine: "wasm" });
  });
});

describe("a batch that does not fit in memory", () => {
  it("is refused by name before it is computed; all workers end", async () => {
    const place = await workplace();
    const data = await writeBlobs(place.folder, 10_000);
    const document = await writeNetwork(place.folder, { inputs: 2, hidden: [400_000], outputs: 3 });
    const says = [/engine wasm: a step of \d+ rows needs \d+\.\d GB or more, and /, "--batch-size"];
    const args = [document, "--data", data, "--workers", "2", "--engine", "wasm", "--epochs", "1"];
    await expectRefusedTrain(place, args, { exitCode: 4, code: "ENGINE_UNAVAILABLE", says });
  });
});

describe.skipIf(!CAN_HAVE_ENGINE)(`the engine tensorflow (${NEEDS_ENGINE})`, () => {
  let env: Record<string, string> = {};
  beforeAll(async () => {
    env = await installedEngine();
  }, INSTALL_MS);

  async function hashes(args: readonly string[], counts: readonly number[]): Promise<string[]> {
    const folder = await temporaryDirectory();
    const found: string[] = [];
    for (const count of counts) {
      const places = ["--data-dir", join(folder, "rows"), "--out", join(folder, `${found.length}`)];
      const job = [...args, "--engine", "tensorflow", "--threads", "1", "--replicas", "4", "--workers", `${count}`];
      const { finished } = await runTrain([...job, ...places], { env });
      expect(finished).toMatchObject({ engine: "tensorflow", workers: count, replicas: 4, threads: 1 });
      found.push(`${finished.weightsSha256} ${finished.stateSha256} ${finished.testLoss}`);
    }
    return found;
  }

  it("iris: the same bits on 1, 2 and 4 workers", async () => {
    expect(new Set(await hashes([IRIS, "--epochs", "20"], [1, 2, 4, 4])).size).toBe(1);
  });

  it("iris in mixed precision: the same bits on 1 and 2 workers, and others than in float32", async () => {
    const job = [IRIS, "--epochs", "5"];
    const mixed = await hashes([...job, "--precision", "bfloat16"], [1, 2]);
    expect(new Set(mixed).size).toBe(1);
    expect(await hashes(job, [1])).not.toContain(mixed[0]);
  });

  it("rows in uneven and empty slices, with Adam: the same bits", async () => {
    const folder = await temporaryDirectory();
    const data = await writeBlobs(folder, 101);
    const parameters = { learningrate: 0.05, optimizer: "adam", epochs: 2 };
    const document = await writeNetwork(folder, { inputs: 2, hidden: [7], outputs: 3, parameters });
    expect(new Set(await hashes([document, "--data", data, "--batch-size", "3"], [1, 2, 4])).size).toBe(1);
  });

  const images = realData("mnist/train10k-images-idx3-ubyte.gz");
  it.skipIf(images === null)("MNIST digits: the same bits (needs ../shared/data/mnist)", async () => {
    const args = [join(ROOT, "examples/mnist/mnist.xml"), "--data", images ?? "", "--epochs", "1"];
    expect(new Set(await hashes(args, [1, 2, 4])).size).toBe(1);
  });

  const cnn = join(ROOT, "examples/cnn/digits-cnn.xml");
  it("a convolutional network: the same bits", async () => {
    expect(new Set(await hashes([cnn, "--epochs", "2"], [1, 2, 4])).size).toBe(1);
  });

  it("auto takes it, and predict and the other engine agree", async () => {
    const out = join(await temporaryDirectory(), "out");
    const { events, finished } = await runTrain([IRIS, "--epochs", "5", "--out", out], { env });
    expect(finished.engine).toBe("tensorflow");
    expect(events[0]).toMatchObject({
      configuration: { engineReason: expect.stringMatching(/^the fastest that is here/) },
    });
    const rows = join(ROOT, "examples/iris/iris.csv");
    const ends = await Promise.all(
      ["auto", "wasm"].map((engine) => runCommand(["predict", out, "--data", rows, "--engine", engine], { env })),
    );
    const [native, wasm] = ends.map(({ stdout }) =>
      stdout
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => line.split(",")),
    );
    expect(ends[0]?.stderr).toMatch(/engine tensorflow \(auto: the fastest that is here/);
    expect(native).toHaveLength(150);
    for (const [row, fields] of (native ?? []).entries()) {
      expect(fields[1]).toBe(wasm?.[row]?.[1]);
      for (const column of [2, 3, 4]) expect(Number(fields[column])).toBeCloseTo(Number(wasm?.[row]?.[column]), 5);
    }
  });

  it("with two threads says so, and they are the engine's", async () => {
    const out = join(await temporaryDirectory(), "out");
    const { finished } = await runTrain([IRIS, "--epochs", "2", "--threads", "2", "--out", out], { env });
    expect(finished).toMatchObject({ engine: "tensorflow", threads: 2 });
    const { configuration } = JSON.parse(await readFile(join(out, "result.json"), "utf8"));
    expect(configuration.engineFacts).toMatchObject({ name: "tensorflow", threads: 2 });
  });

  it("with a library that is cut off is refused by name, with what repairs it", async () => {
    const place = await workplace();
    const environment = { ...process.env, ...env };
    const { location } = await locateEngine("tensorflow", { environment, projectDirectory: ROOT });
    if (location === null) throw new Error("the engine is gone");
    const store = await temporaryDirectory();
    const copy = join(store, location.directory.split("/").at(-1) ?? "");
    await linkedCopy(location.directory, copy);
    const library = join(copy, "tensorflow/libtensorflow_framework.so.2");
    await rm(library);
    await cp(join(location.directory, "tensorflow/libtensorflow_framework.so.2"), library);
    const file = await open(library, "r+");
    await file.truncate(1_000_000);
    await file.close();
    const says = [
      "libtensorflow_framework.so.2 has 1000000 bytes instead of",
      `To repair it, run: ${INSTALL.slice(5)}`,
    ];
    for (const engine of ["tensorflow", "auto"]) {
      const args = [IRIS, "--engine", engine];
      const around = { env: { ["RINGSTRASSE_ENGINE_DIR"]: store } };
      await expectRefusedTrain(place, args, { exitCode: 4, code: "ENGINE_UNAVAILABLE", says }, around);
    }
  });
});

/** A copy of directories whose files are links: 680 MB would take a while. */
async function linkedCopy(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkedCopy(source, target);
    else await symlink(source, target);
  }
}
