import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { ProcessJudge } from "../../../../coordinator/launcher/process-judge.js";
import { failureOf } from "../../../support/failure-of.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const NEVER = new AbortController().signal;
const REQUEST = {
  modelDirectory: "/models/1",
  rows: { kind: "data", dataPath: "/data/rows.csv", labelsPath: null },
} as const;
const EVALUATION = {
  rows: 2,
  loss: 0.5,
  accuracy: 1,
  meanAbsoluteError: null,
  confusion: { classNames: ["a", "b"], counts: [[1, 0], [0, 1]] },
  weightsSha256: "a".repeat(64),
  engine: "wasm",
}; // biome-ignore format: a matrix

/** A judge whose command is this script; it may write what it saw to `seen`. */
async function judgeOf(script: string, limitMs?: number) {
  const folder = await temporaryDirectory();
  const entry = join(folder, "command.mjs");
  const seen = join(folder, "seen");
  await writeFile(entry, `import fs from "node:fs";\nconst seen = ${JSON.stringify(seen)};\n${script}`);
  const environment = { ...process.env, RINGSTRASSE_LABELS: "/elsewhere", RINGSTRASSE_TOKEN: "secret" };
  const judge = new ProcessJudge({ entry, environment, ...(limitMs === undefined ? {} : { limitMs }) });
  return { judge, seen };
}

const HANGS = "fs.writeFileSync(seen, String(process.pid)); setInterval(() => undefined, 1000);";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("ProcessJudge", () => {
  it("runs the command on model and rows, without the server's own options and secrets, and reads its line", async () => {
    const { judge, seen } = await judgeOf(
      `fs.writeFileSync(seen, JSON.stringify([process.argv.slice(2), Object.keys(process.env).filter((name) => name.startsWith("RINGSTRASSE_"))]));
       console.log(${JSON.stringify(JSON.stringify(EVALUATION))});`,
    );
    expect(await judge.judge(REQUEST, NEVER)).toEqual(EVALUATION);
    const args = ["predict", "/models/1", "--data=/data/rows.csv", "--evaluate", "--json", "--exit-with-parent"];
    expect(JSON.parse(await readFile(seen, "utf8"))).toEqual([args, []]);
  });

  it("throws the failure that the process tells, as it is", async () => {
    const failure = { code: "DATA_INVALID", file: "rows.csv", row: 3, column: 1, problem: "p", remedy: "r" };
    const { judge } = await judgeOf(
      `console.log(${JSON.stringify(JSON.stringify({ failure }))}); process.exitCode = 3;`,
    );
    expect(await failureOf(() => judge.judge(REQUEST, NEVER))).toMatchObject(failure);
  });

  it.each([
    ["process.exit(7);", /exit code 7/],
    ["process.kill(process.pid, 'SIGKILL');", /killed by SIGKILL/],
    ["console.log('{\"rows\":');", /exit code 0/],
    ["throw new RangeError('oh');", /exit code 1.*RangeError: oh/],
  ])("names the end of a process that ends without a result: %s", async (script, problem) => {
    const { judge } = await judgeOf(script);
    const failure = await failureOf(() => judge.judge(REQUEST, NEVER));
    expect(failure).toMatchObject({ code: "INTERNAL", problem: expect.stringMatching(problem) });
  });

  it("ends a process that takes too long, by name", async () => {
    const { judge, seen } = await judgeOf(HANGS, 3000);
    expect(await failureOf(() => judge.judge(REQUEST, NEVER))).toMatchObject({
      code: "EVALUATION_TIMEOUT",
      limitMs: 3000,
      remedy: expect.stringContaining("predict MODEL --evaluate"),
    });
    expect(isAlive(Number(await readFile(seen, "utf8").catch(() => "0")) || 2 ** 30)).toBe(false);
  });

  it("ends the process when the signal aborts, with its reason, and starts none when it has aborted before", async () => {
    const { judge, seen } = await judgeOf(HANGS);
    const abort = new AbortController();
    const judging = judge.judge(REQUEST, abort.signal);
    judging.catch(() => undefined);
    const pid = async () => Number(await readFile(seen, "utf8").catch(() => "0"));
    await expect.poll(pid, { timeout: 20_000 }).toBeGreaterThan(0);
    const reason = new Error("nobody waits");
    abort.abort(reason);
    await expect(judging).rejects.toBe(reason);
    expect(isAlive(await pid())).toBe(false);
    await expect(judge.judge(REQUEST, abort.signal)).rejects.toBe(reason);
  });
});
