import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import type { SlurmCommands } from "../../../../coordinator/submit/slurm-commands.js";
import { failureOf } from "../../../support/failure-of.js";
import { FakeSlurm, type SlurmCommand } from "../../../support/fake-slurm.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

type Question = readonly [SlurmCommand, (commands: SlurmCommands, signal?: AbortSignal) => Promise<unknown>];

const QUESTIONS: readonly Question[] = [
  ["sinfo", (commands, signal) => commands.nodes(signal)],
  ["squeue", (commands, signal) => commands.jobs(signal)],
  ["sacct", (commands, signal) => commands.accounted(["1"], signal)],
  ["scancel", (commands, signal) => commands.cancel("1", signal)],
];
const SUBMISSION: Question = ["sbatch", (commands) => commands.submit("train.sbatch")];

/** For processes to start. */
const PATIENT = { timeout: 30_000 };

const open = async () => await FakeSlurm.open(join(await temporaryDirectory(), "bin"));

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("SlurmCommands", () => {
  it.each([...QUESTIONS, SUBMISSION])("ends %s when it does not answer in time", async (command, ask) => {
    const slurm = await open();
    await slurm.hang(command);
    const failure = await failureOf(() => ask(slurm.commands(500)));
    expect(failure).toMatchObject({ code: "BATCH_REFUSED", problem: `${command} did not answer within 0.5 s` });
    await expect.poll(async () => (await slurm.hung(command)).filter(isThere), PATIENT).toEqual([]);
  });

  it.each(QUESTIONS)("gives %s up when it is told to", async (command, ask) => {
    const slurm = await open();
    await slurm.hang(command);
    const end = new AbortController();
    const asked = failureOf(() => ask(slurm.commands(), end.signal));
    await expect.poll(() => slurm.hung(command), PATIENT).toHaveLength(1);
    end.abort();
    expect(await asked).toMatchObject({ code: "BATCH_REFUSED", problem: `${command} was given up` });
    await expect.poll(async () => (await slurm.hung(command)).filter(isThere), PATIENT).toEqual([]);
    const late = await failureOf(() => ask(slurm.commands(), end.signal));
    expect(late).toMatchObject({ problem: `${command} was given up` });
  });
});
