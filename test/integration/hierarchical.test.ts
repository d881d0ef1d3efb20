import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { otherHostProblem, twiceOnHost } from "../support/other-host.js";
import { eventsOf, ROOT, runTrain, startCommand } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const DIGITS = join(ROOT, "examples/digits/digits.xml");
const TOKEN = "a token for this test alone";

/** Inode numbers of the segments that a process has open. */
function segmentsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => `/proc/${pid}/fd/${fd}`)
    .filter((path) => isSegment(path))
    .map((path) => statSync(path).ino);
}

function isSegment(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("/memfd:ringstrasse");
  } catch {
    return false;
  }
}

/** Inode numbers of all segments that any process of this machine still has mapped. */
function mappedSegments(): Set<number> {
  const lines = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => mapsOf(pid).split("\n"));
  return new Set(
    lines.filter((line) => line.includes("/memfd:ringstrasse")).map((line) => Number(line.split(/\s+/)[4])),
  );
}

function mapsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, "utf8");
  } catch {
    return "";
  }
}

const problem = otherHostProblem();

describe("a hierarchical ring", () => {
  const where = problem === null ? "" : ` (needs the right to unshare namespaces: ${problem})`;
  it.skipIf(problem !== null).each([[[]], [["--encrypt"]]])(
    `over two hosts with two workers each, %j, gives the bits of one process${where}`,
    async (more) => {
      const folder = await temporaryDirectory();
      const job = [IRIS, "--replicas", "6", "--epochs", "20", "--data-dir", join(folder, "rows")];
      const byHand = ["--launcher", "none", "--port", "0", "--token", TOKEN, "--engine", "wasm"];
      const flags = ["--workers", "4", "--collective", "hierarchical", ...byHand, ...more];
      const out = ["--out", join(folder, "hosts")];
      const coordinator = startCommand(["train", ...job, ...flags, ...out, "--json"]);
      let endpoint = "";
      await coordinator.until((_, stderr) => {
        endpoint = /--coordinator (tcp:\/\/\S+)/.exec(stderr)?.[1] ?? "";
        return endpoint !== "";
      });
      // Names that don't tell the machines apart, as containers of one image have them.
      for (const _host of ["first", "second"]) {
        const around = { env: { RINGSTRASSE_TOKEN: TOKEN }, through: twiceOnHost("box") };
        startCommand(["worker", "--coordinator", endpoint, "--engine", "wasm"], around);
      }
      const events = eventsOf((await coordinator.ended).stdout);
      const generation = events.find((event) => event.event === "generation");
      expect(generation?.reason).toContain("hierarchical was asked for: 2 of 4 hops are inside a host");
      expect(generation?.workers.map(({ host }) => host)).toEqual(["box", "box", "box", "box"]);
      const alone = await runTrain([...job, "--engine", "wasm", "--workers", "1", "--out", join(folder, "alone")]);
      const { weightsSha256, stateSha256 } = alone.finished;
      expect(events.at(-1)).toMatchObject({
        event: "finished",
        collective: "hierarchical",
        weightsSha256,
        stateSha256,
      });
    },
  );

  it("names a worker that is killed, and leaves no shared memory behind", async () => {
    const folder = await temporaryDirectory();
    const places = ["--out", join(folder, "run"), "--data-dir", join(folder, "rows")];
    const flags = ["--workers", "3", "--collective", "hierarchical", "--epochs", "100000", "--json", ...places];
    const run = startCommand(["train", DIGITS, "--evaluate-every", "100000", ...flags]);
    await run.until((stdout) => stdout.includes('"event":"step"'));
    const generation = eventsOf(wholeLines(run.stdout())).find((event) => event.event === "generation");
    const pids = generation?.workers.map(({ pid }) => pid ?? 0) ?? [];
    const segments = pids.flatMap(segmentsOf);
    expect(segments).toHaveLength(3);
    const mapped = mappedSegments();
    for (const segment of segments) expect(mapped).toContain(segment);
    process.kill(pids[1] ?? 0, "SIGKILL");
    const end = await run.ended;
    expect(end.exitCode).toBe(5);
    expect(eventsOf(end.stdout).at(-1)).toMatchObject({ event: "failed", code: "WORKER_DIED", rank: 1 });
    const left = mappedSegments();
    for (const segment of segments) expect(left).not.toContain(segment);
  });
});

describe("--collective auto", () => {
  it("measures, says in one line what it takes and by which figures, and keeps them with the result", async () => {
    const folder = await temporaryDirectory();
    const out = join(folder, "run");
    const args = [IRIS, "--workers", "2", "--epochs", "3", "--data-dir", join(folder, "rows"), "--out", out];
    const { events, finished } = await runTrain(args);
    const kinds = events.map(({ event }) => event);
    expect(kinds.slice(0, 4)).toEqual(["started", "generation", "collective", "step"]);
    const choice = events.find((event) => event.event === "collective");
    if (choice?.event !== "collective" || choice.measured === null) throw new Error("nothing was measured");
    const { candidates } = choice.measured;
    expect(candidates.map(({ collective }) => collective)).toEqual(["shm", "hierarchical"]);
    const best = candidates.reduce((a, b) => (b.expectedMs < a.expectedMs ? b : a));
    expect([choice.collective, finished.collective]).toEqual([best.collective, best.collective]);
    expect(choice.reason).toMatch(
      /^(shm|hierarchical), since an exchange of \d+ bytes is expected to take .+ by (hierarchical|shm)$/,
    );
    const result = JSON.parse(readFileSync(join(out, "result.json"), "utf8"));
    expect(result.configuration.measuredCollectives).toEqual(choice.measured);
  });

  it("measures nothing where the sockets are chosen", async () => {
    const folder = await temporaryDirectory();
    const places = ["--data-dir", join(folder, "rows"), "--out", join(folder, "run")];
    const { events, finished } = await runTrain([
      IRIS,
      "--workers",
      "2",
      "--epochs",
      "1",
      "--transport",
      "tcp",
      ...places,
    ]);
    expect(events.some(({ event }) => event === "collective")).toBe(false);
    expect(finished.collective).toBe("ring");
  });
});

/** Without the line that is still being written. */
function wholeLines(stdout: string): string {
  return stdout.slice(0, stdout.lastIndexOf("\n") + 1);
}
