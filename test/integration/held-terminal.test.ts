import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { eventsOf, ROOT, startProcess } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const EPOCHS = 400;

/** On a terminal of its own, whose output goes to a pipe: when nobody reads that, the terminal takes nothing more. */
function startOnTerminal(args: readonly string[]) {
  const command = [process.execPath, join(ROOT, "dist/ringstrasse.js"), ...args].map((word) => `'${word}'`).join(" ");
  return startProcess("script", ["--quiet", "--return", "--command", `${command} 2>&1`, "/dev/null"], {});
}

async function appears(path: string): Promise<unknown> {
  for (;;) {
    const text = await readFile(path, "utf8").catch(() => null);
    if (text !== null) return JSON.parse(text);
    await setTimeout(50);
  }
}

describe("a terminal that takes nothing", () => {
  it("does not hold up the training: the result is there before anything is read, and then every event is", async () => {
    const out = join(await temporaryDirectory(), "run");
    const job = ["train", IRIS, "--epochs", String(EPOCHS), "--replicas", "2", "--workers", "2", "--batch-size", "16"];
    const run = startOnTerminal([...job, "--json", "--out", out]);
    run.child.stdout?.pause();
    const result = await appears(join(out, "result.json"));
    const read = run.stdout().length;
    run.child.stdout?.resume();
    const { exitCode, stdout } = await run.ended;
    expect(exitCode).toBe(0);
    const events = eventsOf(stdout.replaceAll("\r", ""));
    expect(events.filter(({ event }) => event === "epoch")).toHaveLength(EPOCHS);
    const last = events.at(-1);
    expect(last).toMatchObject({ event: "finished" });
    expect(result).toMatchObject({ weightsSha256: last?.event === "finished" ? last.weightsSha256 : null });
    // Far more than terminal and pipe hold had still to be read.
    expect(stdout.length - read).toBeGreaterThan(500_000);
  });
});
