import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderBatchScript } from "../../../../coordinator/submit/batch-script.js";
import { shellWord } from "../../../../coordinator/submit/shell-word.js";
import { trainArguments } from "../../../../coordinator/submit/train-arguments.js";

const REQUEST = {
  jobName: "net",
  nodes: 2,
  tasksPerNode: 4,
  cpusPerTask: 3,
  gpusPerNode: 4,
  partition: "gpu",
  account: "physics",
  time: "2:00:00",
};
const PLAN = {
  request: REQUEST,
  about: ["Of a test."],
  output: "/shared/run/slurm-%j.out",
  command: "/usr/bin/node /shared/ringstrasse.js",
  trainArguments: `${shellWord("/shared/it's a net.xml")} --epochs=3`,
  files: ["/shared/it's a net.xml"],
  folders: ["/shared/run", "/shared/rows"],
  resume: null,
  out: "/shared/run",
};
const SCRIPT = renderBatchScript(PLAN);
const HAS_SHELLCHECK = spawnSync("shellcheck", ["--version"]).status === 0;

describe("renderBatchScript", () => {
  it("asks for what was asked for, one rank for each GPU", () => {
    const directives = SCRIPT.split("\n").filter((line) => line.startsWith("#SBATCH"));
    expect(directives).toEqual([
      "#SBATCH --job-name=net",
      "#SBATCH --partition=gpu",
      "#SBATCH --account=physics",
      "#SBATCH --time=2:00:00",
      "#SBATCH --nodes=2",
      "#SBATCH --ntasks-per-node=4",
      "#SBATCH --cpus-per-task=3",
      "#SBATCH --gpus-per-node=4",
      "#SBATCH --output=/shared/run/slurm-%j.out",
      "#SBATCH --open-mode=append",
      "#SBATCH --signal=B:USR1@120",
      "#SBATCH --requeue",
    ]);
    expect(SCRIPT).toContain("srun --mpi=none --cpus-per-task=3 --gpus-per-task=1 --kill-on-bad-exit=0 --wait=30 \\\n");
    expect(SCRIPT).toContain("ringstrasse.js train '/shared/it'\\''s a net.xml' --epochs=3 \"--resume=$resume\" &\n");
  });

  it("goes on from its own checkpoints, but where the first start was told otherwise", () => {
    expect(SCRIPT).toContain("\nresume=auto\n");
    expect(SCRIPT).not.toContain("resume=auto; fi");
    const told = renderBatchScript({ ...PLAN, resume: "/shared/an other run" });
    const [first, later] = told.slice(told.indexOf("\nresume=") + 1).split("\n");
    expect(first).toBe("resume='/shared/an other run'");
    expect(later).toMatch(/^if \[ "\$\{SLURM_RESTART_COUNT:-0\}" -gt 0 \]; then resume=auto; fi$/);
  });

  it.each([
    ["0:40", 10],
    ["2", 30],
    ["7:59", 119],
    ["1-00", 120],
    ["infinite", 120],
    [null, 120],
  ] as const)("a time limit of %s: warned %i s before", (time, seconds) => {
    const script = renderBatchScript({ ...PLAN, request: { ...REQUEST, time } });
    expect(script).toContain(`#SBATCH --signal=B:USR1@${seconds}\n`);
  });

  it("holds no secret", () => {
    expect(SCRIPT).toContain("/dev/urandom");
    expect(SCRIPT).not.toMatch(/TOKEN=[0-9a-f]/);
  });

  it.skipIf(!HAS_SHELLCHECK)("has nothing that shellcheck minds (needs shellcheck)", () => {
    const { stdout, status } = spawnSync("shellcheck", ["-"], { input: SCRIPT, encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });
});

describe("shellWord", () => {
  it("is one word with that text to a shell", () => {
    const texts = fc.array(
      fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
      { minLength: 20, maxLength: 20 },
    );
    fc.assert(
      fc.property(texts, (words) => {
        const script = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
        expect(spawnSync("bash", ["-c", script], { encoding: "utf8" }).stdout).toBe(`${words.join("\0")}\0`);
      }),
      { numRuns: 10 },
    );
  });
});

describe("trainArguments", () => {
  it("passes on what was given to train, with absolute paths, and nothing of the batch job", () => {
    const given = { nodes: 2, "dry-run": true, data: "rows.csv", "data-dir": "/rows", epochs: 3, json: true, seed: 0 };
    const faults = { "inject-fault": ["crash@rank=1,step=2", "hang@rank=0,step=9"] };
    expect(trainArguments({ ...given, ...faults }, "/home/me").sort()).toEqual([
      "--data-dir=/rows",
      "--data=/home/me/rows.csv",
      "--epochs=3",
      "--inject-fault=crash@rank=1,step=2",
      "--inject-fault=hang@rank=0,step=9",
      "--json",
      "--seed=0",
    ]);
  });

  it("leaves out a switch that is off", () => {
    expect(trainArguments({ json: false }, "/")).toEqual([]);
  });
});
