import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { FailureCode } from "../../shared/failure.js";
import { type CommandEnd, type CommandSurroundings, eventsOf, runCommand } from "./run-command.js";
import { temporaryDirectory } from "./temporary-directory.js";

/** A folder of the test's own, with everything that a run may write to inside. */
export interface Workplace {
  readonly folder: string;
  /** For `--out`; not there yet. */
  readonly out: string;
  /** Its own TMPDIR, empty; and the folder for prepared rows. */
  readonly env: Readonly<Record<string, string>>;
}

export async function workplace(): Promise<Workplace> {
  const folder = await temporaryDirectory();
  const tmp = join(folder, "tmp");
  await mkdir(tmp);
  return { folder, out: join(folder, "out"), env: { TMPDIR: tmp, XDG_CACHE_HOME: join(folder, "cache") } };
}

export interface Refusal {
  readonly exitCode: number;
  readonly code: FailureCode;
  /** What the message must hold: place, problem, remedy. */
  readonly says: readonly (string | RegExp)[];
}

/**
 * Runs `ringstrasse train ARGS --json`, which must be refused: with this exit code, this code and this message in the last line, the
 * same message as the one line on stderr, no stack trace, and nothing left behind.
 */
export async function expectRefusedTrain(
  place: Workplace,
  args: readonly string[],
  refusal: Refusal,
  around: CommandSurroundings = {},
): Promise<CommandEnd> {
  const end = await runCommand(["train", ...args, "--out", place.out, "--json"], within(place, around));
  const last = eventsOf(end.stdout).at(-1);
  if (last?.event !== "failed") throw new Error(`train did not fail: ${JSON.stringify(last)}\n${end.stderr}`);
  expect({ code: last.code, exitCode: end.exitCode }, last.message).toEqual({
    code: refusal.code,
    exitCode: refusal.exitCode,
  });
  expectMessage(end.stderr, refusal.says);
  expect(end.stderr).toBe(`ringstrasse: ${last.message}\n`);
  expectNothingLeft(place);
  return end;
}

/** Runs any command, for a person: it must be refused with one line on stderr, and nothing on stdout. */
export async function expectRefusedCommand(
  place: Workplace,
  args: readonly string[],
  refusal: Omit<Refusal, "code">,
  around: CommandSurroundings = {},
): Promise<CommandEnd> {
  const end = await runCommand(args, within(place, around));
  expect(end.exitCode, end.stderr).toBe(refusal.exitCode);
  expect(end.stdout).toBe("");
  expectMessage(end.stderr, refusal.says);
  expect(end.stderr).toMatch(/^ringstrasse: [^\n]+\n$/);
  expectNothingLeft(place);
  return end;
}

function within(place: Workplace, around: CommandSurroundings): CommandSurroundings {
  return { ...around, env: { ...place.env, ...around.env } };
}

/** No model and no result, no temporary files, no process that this run started. */
export function expectNothingLeft(place: Workplace): void {
  const written = existsSync(place.out) ? readdirSync(place.out) : [];
  expect(written.filter((name) => name !== "metrics.csv" && name !== "hashes.jsonl")).toEqual([]);
  expect(readdirSync(join(place.folder, "tmp"))).toEqual([]);
  const rows = join(place.folder, "cache/ringstrasse/rows");
  expect(existsSync(rows) ? readdirSync(rows).filter((name) => name.includes("unfinished")) : []).toEqual([]);
  expect(processesWith(place.folder)).toEqual([]);
}

function expectMessage(stderr: string, says: readonly (string | RegExp)[]): void {
  for (const piece of says) {
    if (typeof piece === "string") expect(stderr).toContain(piece);
    else expect(stderr).toMatch(piece);
  }
  expect(stderr).not.toMatch(/^\s+at .+[:)]/m);
}

/** Processes whose environment names a folder: those that a run in this workplace started. */
function processesWith(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(folder))
    .map(Number);
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    // It has ended meanwhile, or belongs to someone else.
    return "";
  }
}
