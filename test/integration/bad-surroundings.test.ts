import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { expectNothingLeft, expectRefusedTrain, type Workplace, workplace } from "../support/refused-run.js";
import { eventsOf, ROOT, runCommand, runFailingTrain, runTrain, startCommand } from "../support/run-command.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const unwritable = (...says: (string | RegExp)[]) => ({ exitCode: 4, code: "OUTPUT_UNWRITABLE", says }) as const;
const noEndpoint = (...says: (string | RegExp)[]) => ({ exitCode: 4, code: "ENDPOINT_UNAVAILABLE", says }) as const;

/** A path that can't be a folder: it lies below a file. */
async function belowFile(place: Workplace): Promise<string> {
  await writeFile(join(place.folder, "file"), "in the way");
  return join(place.folder, "file", "below");
}

/** A port that somebody listens on until the test ends. */
async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe("directories that can't be written", () => {
  it("the output directory lies below a file", async () => {
    const place = await workplace();
    const out = await belowFile(place);
    await expectRefusedTrain(
      { ...place, out },
      [IRIS],
      unwritable(`${out}: `, "is a file", "Choose another directory"),
    );
  });

  it("the output directory lies in a file system that takes none", async () => {
    const place = await workplace();
    const out = "/proc/ringstrasse/out";
    await expectRefusedTrain({ ...place, out }, [IRIS], unwritable(`${out}: `, "Choose a directory"));
  });

  it("the data directory lies below a file", async () => {
    const place = await workplace();
    const rows = await belowFile(place);
    const refusal = unwritable(`${rows}: `, "Choose another directory");
    await expectRefusedTrain(place, [IRIS, "--data-dir", rows], refusal);
    expect(existsSync(place.out)).toBe(false);
  });

  it("the data directory lies in a file system that takes none", async () => {
    const place = await workplace();
    await expectRefusedTrain(place, [IRIS, "--data-dir", "/proc/ringstrasse"], unwritable("/proc/ringstrasse: "));
    expect(existsSync(place.out)).toBe(false);
  });

  it("there is no TMPDIR for sockets", async () => {
    const place = await workplace();
    const gone = join(place.folder, "gone");
    await expectRefusedTrain(place, [IRIS], unwritable(`${gone}: `, "Choose a directory"), { env: { TMPDIR: gone } });
    expect(existsSync(place.out)).toBe(false);
  });
});

describe("addresses that can't be listened on", () => {
  it("a port in use", async () => {
    const place = await workplace();
    const port = await takenPort();
    const refusal = noEndpoint(`tcp://127.0.0.1:${port}: another process already listens there`, "another port");
    await expectRefusedTrain(place, [IRIS, "--port", String(port)], refusal);
    expect(readdirSync(place.out)).toEqual([]);
  });

  it("an address that is none", async () => {
    const place = await workplace();
    const refusal = noEndpoint("256.0.0.1: no such name is known here", "0.0.0.0 for all addresses");
    await expectRefusedTrain(place, [IRIS, "--host", "256.0.0.1"], refusal);
  });

  it("an address of another host", async () => {
    const place = await workplace();
    // Of a network that is for documentation alone (RFC 5737).
    const refusal = noEndpoint("tcp://192.0.2.1:0: this host has no such address", "0.0.0.0 for all of them");
    await expectRefusedTrain(place, [IRIS, "--host", "192.0.2.1"], refusal);
  });

  it("a socket path that is too long, since TMPDIR is", async () => {
    const place = await workplace();
    const long = join(place.folder, "x".repeat(120));
    await mkdir(long);
    await expectRefusedTrain(place, [IRIS], noEndpoint(long, "too long", "shorter path"), { env: { TMPDIR: long } });
    expect(readdirSync(long)).toEqual([]);
  });
});

describe("workers that don't come", () => {
  it("by hand: says how many came, and how to start the others; exit 5", async () => {
    const place = await workplace();
    const args = ["train", IRIS, "--launcher", "none", "--workers", "2", "--join-timeout", "1", "--out", place.out];
    const end = await runCommand([...args, "--json"], { env: place.env });
    expect(end.exitCode).toBe(5);
    const last = eventsOf(end.stdout).at(-1);
    expect(last).toMatchObject({ event: "failed", code: "RENDEZVOUS_TIMEOUT" });
    expect(last).toHaveProperty("message", expect.stringMatching(/^0 of 2 workers joined within 1\d{3} ms: start/));
    const [invitation = ""] = end.stderr.split("\n");
    expect(invitation).toMatch(
      /RINGSTRASSE_TOKEN=[0-9a-f]{48} ringstrasse worker --coordinator tcp:\/\/127\.0\.0\.1:\d+$/,
    );
    expectNothingLeft(place);
  });

  it("started here, but not ready in time: says what to do instead; exit 5", async () => {
    const place = await workplace();
    const says = [/0 of 2 workers joined within \d+ ms: all were started/, "--join-timeout"];
    const refusal = { exitCode: 5, code: "RENDEZVOUS_TIMEOUT", says } as const;
    await expectRefusedTrain(place, [IRIS, "--workers", "2", "--join-timeout", "0.1"], refusal);
  });

  it("a worker that finds no coordinator's endpoint there is told so", async () => {
    const place = await workplace();
    const end = await runCommand(["worker", "--coordinator", "tcp://no such host:7", "--token", "t"], {
      env: place.env,
    });
    expect(end.exitCode).toBe(4);
    expect(end.stderr).toContain("tcp://no such host:7: it can't be connected to");
    expect(end.stderr).not.toContain("    at ");
  });
});

describe("a worker that is killed", () => {
  it("leaves no sockets behind", async () => {
    const place = await workplace();
    const fault = ["--inject-fault", "crash@rank=1,step=5", "--workers", "2", "--epochs", "1000000"];
    const end = await runCommand(["train", IRIS, ...fault, "--out", place.out], { env: place.env });
    expect(end.exitCode).toBe(5);
    expect(end.stderr).toContain("killed by SIGKILL");
    expectNothingLeft(place);
  });
});

describe("two runs with one output directory", () => {
  it("the second is refused while the first one goes on, and starts when that was killed", async () => {
    const place = await workplace();
    const endless = ["train", IRIS, "--epochs", "1000000", "--evaluate-every", "1000000", "--out", place.out, "--json"];
    const first = startCommand(endless, { env: place.env });
    await first.until((stdout) => stdout.includes('"event":"epoch"'));
    const args = [IRIS, "--epochs", "2", "--out", place.out];
    const { end, failed } = await runFailingTrain(args, { env: place.env });
    expect([end.exitCode, failed.code]).toEqual([4, "OUTPUT_UNWRITABLE"]);
    expect(end.stderr).toMatch(new RegExp(`process ${first.child.pid} on .* is writing a run here.*--out`));
    const before = first.stdout().length;
    await first.until((stdout) => stdout.length > before);
    first.child.kill("SIGKILL");
    await first.ended;
    const { finished } = await runTrain(args, { env: place.env });
    expect(finished.epochs).toBe(2);
    expect(readdirSync(place.out)).not.toContain(".run.lock");
  });
});

describe("a reader of stdout that goes away", () => {
  it("ends the run: exit 4, no workers left, no result", async () => {
    const place = await workplace();
    const args = ["train", IRIS, "--epochs", "1000000", "--evaluate-every", "1000000", "--out", place.out, "--json"];
    const run = startCommand(args, { env: place.env });
    await run.until((stdout) => stdout.includes('"event":"step"'));
    run.child.stdout?.destroy();
    const end = await run.ended;
    expect(end.exitCode).toBe(4);
    expect(end.stderr).toContain("ringstrasse: stdout: its reader has gone. Keep the reader running");
    expect(end.stderr).not.toContain("    at ");
    expectNothingLeft(place);
  });

  it("ends a prediction: exit 4, without a stack trace", async () => {
    const place = await workplace();
    await runTrain([IRIS, "--epochs", "1", "--out", place.out], { env: place.env });
    const rows = join(place.folder, "many.csv");
    await writeFile(rows, "5.1,3.5,1.4,0.2,0\n".repeat(200_000));
    const run = startCommand(["predict", join(place.out, "model"), "--data", rows], { env: place.env });
    await run.until((stdout) => stdout.includes("\n"));
    run.child.stdout?.destroy();
    const end = await run.ended;
    expect(end.exitCode).toBe(4);
    expect(end.stderr).toBe(
      "ringstrasse: stdout: its reader has gone. Keep the reader running, or redirect the output to a file\n",
    );
  });

  it("ends validate and diff too: exit 4, one line", async () => {
    const place = await workplace();
    await runTrain([IRIS, "--epochs", "1", "--out", place.out], { env: place.env });
    for (const args of [
      ["validate", IRIS],
      ["diff", place.out, place.out],
      ["validate", "--help"],
    ]) {
      const run = startCommand(args, { env: place.env });
      run.child.stdout?.destroy();
      const { exitCode, stderr } = await run.ended;
      expect([exitCode, stderr], args.join(" ")).toEqual([
        4,
        "ringstrasse: stdout: its reader has gone. Keep the reader running, or redirect the output to a file\n",
      ]);
    }
  });
});

describe("a reader of stderr that goes away", () => {
  it("does not end the run: exit 0, and its result", async () => {
    const place = await workplace();
    const args = ["train", IRIS, "--epochs", "300", "--workers", "2", "--log-level", "info", "--out", place.out];
    const run = startCommand(args, { env: place.env });
    await run.until((_, stderr) => stderr.includes("\n"));
    run.child.stderr?.destroy();
    const end = await run.ended;
    expect(end).toMatchObject({ exitCode: 0, signal: null });
    const result = JSON.parse(await readFile(join(place.out, "result.json"), "utf8"));
    expect(result).toMatchObject({ status: "FINISHED", epochs: 300 });
    expect(end.stdout).toContain(result.weightsSha256.slice(0, 8));
  });
});
