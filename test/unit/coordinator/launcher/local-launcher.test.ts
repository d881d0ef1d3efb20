import { mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LaunchedWorker, LaunchPlan } from "../../../../coordinator/launcher/launcher.js";
import { LocalLauncher } from "../../../../coordinator/launcher/local-launcher.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { TextSink } from "../../../support/text-sink.js";

/** Stands for the compiled command: writes what it was started with to a file named after its pid, then does as the token says. */
const PROGRAM = `
import { renameSync, writeFileSync } from "node:fs";
const { RINGSTRASSE_TOKEN: token, TOLD_IN: folder, CUDA_VISIBLE_DEVICES: gpus } = process.env;
const own = Object.keys(process.env).filter((name) => name.startsWith("RINGSTRASSE_")).sort();
const file = folder + "/" + process.pid;
writeFileSync(file + ".part", JSON.stringify({ args: process.argv.slice(2), token, gpus, own }));
renameSync(file + ".part", file);
if (token === "speak") { console.error("first words"); console.error("RangeError: last words"); process.exit(7); }
process.stdin.resume().on("end", () => process.exit(0));
`;

type Computing = Pick<LaunchPlan, "engine" | "threads">;
const COMPUTING: Computing = { engine: "tensorflow", threads: 2 };

async function launch(token: string, workers: number, computing: Computing = COMPUTING, gpus: readonly string[] = []) {
  const folder = await temporaryDirectory();
  const entry = join(folder, "command.mjs");
  const told = join(folder, "told");
  await mkdir(told);
  await writeFile(entry, PROGRAM);
  const devices = join(folder, "dev");
  await mkdir(devices);
  for (const gpu of gpus) await writeFile(join(devices, `nvidia${gpu}`), "");
  const { CUDA_VISIBLE_DEVICES: _none, ...variables } = process.env;
  const options = { RINGSTRASSE_CONFIG: "/train.json", RINGSTRASSE_HEALTH_PORT: "9000" };
  const environment = { ...variables, ...options, RINGSTRASSE_ENGINE_DIR: folder, TOLD_IN: told };
  const stderr = new TextSink();
  const launcher = new LocalLauncher(entry, environment, stderr, devices);
  const places = Array.from({ length: workers }, (_, place) => place);
  const plan: LaunchPlan = {
    places,
    coordinatorEndpoint: "ipc:///tmp/control",
    token,
    logLevel: "info",
    ...computing,
  };
  const launched: LaunchedWorker[] = [];
  onTestFinished(async () => {
    for (const worker of launched) worker.kill();
    await Promise.all(launched.map((worker) => worker.ended));
  });
  await launcher.launch(plan, (worker) => launched.push(worker));
  return { launched, stderr, told };
}

describe("LocalLauncher", () => {
  it("starts each worker with its name, the endpoint and the log level; the token goes by environment alone", async () => {
    const { launched, told } = await launch("speak", 3);
    expect(launched.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(new Set(launched.map(({ pid }) => pid)).size).toBe(3);
    await Promise.all(launched.map((worker) => worker.ended));
    for (const { index, workerId, host, pid } of launched) {
      expect([workerId, host]).toEqual([`${hostname()}-${process.pid}-${index}`, hostname()]);
      const { args, token } = JSON.parse(await readFile(join(told, String(pid)), "utf8"));
      expect(token).toBe("speak");
      const flags = ["--coordinator=ipc:///tmp/control", `--worker-id=${workerId}`, "--exit-with-parent"];
      expect(args).toEqual(["worker", ...flags, "--log-level=info", "--engine=tensorflow", "--threads=2"]);
    }
  });

  it.each([
    ["tensorflow-gpu", ["0", "1"], ["0", "1", "0"]],
    ["auto", ["3"], ["0", "0", "0"]],
    ["tensorflow-gpu", [], [undefined, undefined, undefined]],
    ["tensorflow", ["0", "1"], [undefined, undefined, undefined]],
  ] as const)("gives workers with %s of the devices %j one GPU each, in turn", async (engine, gpus, expected) => {
    const { launched, told } = await launch("speak", 3, { engine, threads: 1 }, gpus);
    await Promise.all(launched.map((worker) => worker.ended));
    const read = launched.map(async ({ pid }) => JSON.parse(await readFile(join(told, String(pid)), "utf8")).gpus);
    expect(await Promise.all(read)).toEqual(expected);
  });

  it("keeps the coordinator's own options from the workers, but tells them where engines are", async () => {
    const { launched, told } = await launch("speak", 1);
    await launched[0]?.ended;
    const { own } = JSON.parse(await readFile(join(told, String(launched[0]?.pid)), "utf8"));
    expect(own).toEqual(["RINGSTRASSE_ENGINE_DIR", "RINGSTRASSE_TOKEN"]);
  });

  it("passes on what a worker writes to stderr, and keeps its exit code and last words", async () => {
    const { launched, stderr } = await launch("speak", 1);
    expect(await launched[0]?.ended).toEqual({ exitCode: 7, signal: null, lastWords: "RangeError: last words" });
    expect(stderr.text).toBe("first words\nRangeError: last words\n");
  });

  it("kills at once, and says by which signal a worker ended", async () => {
    const { launched } = await launch("wait", 2);
    launched[1]?.kill();
    expect(await launched[1]?.ended).toEqual({ exitCode: null, signal: "SIGKILL", lastWords: null });
    // The other one is left alone: it still waits for the end of its stdin.
    expect(() => process.kill(launched[0]?.pid ?? 0, 0)).not.toThrow();
  });

  it("a host that takes no process is named, with what to look at", async () => {
    const launcher = new LocalLauncher("command.mjs", { LARGE: "x".repeat(10_000_000) }, new TextSink());
    const plan: LaunchPlan = {
      places: [0],
      coordinatorEndpoint: "ipc:///x",
      token: "t",
      logLevel: "info",
      ...COMPUTING,
    };
    const failure = await failureWithCode("LAUNCH_FAILED", () => launcher.launch(plan, () => undefined));
    expect(failure).toMatchObject({ host: hostname(), problem: "spawn E2BIG" });
    expect(failure.remedy).toContain("ulimit -u");
  });
});
