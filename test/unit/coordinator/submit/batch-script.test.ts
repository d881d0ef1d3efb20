import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderBatchScript } from "../../../../coordinator/submit/batch-script.js";
import { shellWord } from "../../../../coordinator/submit/shell-word.js";
import { trainArguments } from "../../../../coordinator/submit/train-arguments.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

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
    // What `sbatch --cpus-per-task` may have said otherwise; srun wouldn't hear of it.
    expect(SCRIPT).toContain(
      `srun --mpi=none --cpus-per-task="\${SLURM_CPUS_PER_TASK:-3}" --gpus-per-task=1 --kill-on-bad-exit=0 --wait=30 \\\n`,
    );
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

  it.each([
    [null, "0-5"],
    [2, "0-5%2"],
  ])("an array, %j of its tasks at once: each trains the document of its own folder", (atOnce, tasks) => {
    const script = renderBatchScript({ ...PLAN, array: { tasks: 6, atOnce } });
    expect(script).toContain(`#SBATCH --array=${tasks}\n`);
    expect(script).toContain("\nout=/shared/run/$SLURM_ARRAY_TASK_ID\n");
    expect(script).toContain('ringstrasse.js train "$out/document.xml" ');
    expect(script).toContain(' "--out=$out" "--resume=$resume" &\n');
    expect(script).toContain('paths+=("$out/document.xml")');
  });

  it("looks for what the first start goes on from, and later not again", () => {
    const told = renderBatchScript({ ...PLAN, resume: "/shared/other" });
    expect(told).toContain('if [ "$resume" != auto ]; then paths+=("$resume"); fi');
    expect(SCRIPT).not.toContain('paths+=("$resume")');
  });

  it.skipIf(!HAS_SHELLCHECK).each([
    ["one job", SCRIPT],
    ["one that goes on from elsewhere", renderBatchScript({ ...PLAN, resume: "/shared/an other run" })],
    ["an array", renderBatchScript({ ...PLAN, array: { tasks: 3, atOnce: 1 } })],
    ["a template", renderBatchScript({ ...PLAN, out: null, folders: [], trainArguments: '"$@"' })],
  ])("of %s has nothing that shellcheck minds (needs shellcheck)", (_, input) => {
    const { stdout, status } = spawnSync("shellcheck", ["-"], { input, encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });
});

describe("a batch script that is asked for a save before its run has begun", () => {
  it("goes on", async () => {
    const folder = await temporaryDirectory();
    // The look at the files is the first step, and the run the second.
    const srun = `#!/usr/bin/env bash\ncase "$*" in *--ntasks-per-node=1*) kill -USR1 "$PPID" ;; *) echo trained ;; esac\n`;
    await writeFile(join(folder, "srun"), srun, { mode: 0o755 });
    const script = renderBatchScript({ ...PLAN, out: join(folder, "run"), output: null, files: [], folders: [folder] });
    const env = { ...process.env, PATH: `${folder}:${process.env["PATH"]}`, SLURM_JOB_NUM_NODES: "2" };
    const { status, stdout } = spawnSync("bash", ["-c", script], { env, encoding: "utf8", timeout: 20_000 });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "trained\n" });
  });
});

/** Until bash has seen that the step has ended, as when the script is held up there. */
const HELD_UP = 'while kill -0 "$step" 2>/dev/null; do :; done';

describe("a batch script that is held up", () => {
  it("ends as its run has, which was over before", async () => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, "srun"), "#!/usr/bin/env bash\nexit 4\n", { mode: 0o755 });
    const script = renderBatchScript({ ...PLAN, out: join(folder, "run"), output: null, folders: [] });
    const held = script.replace("\nstep=$!\n", `\nstep=$!\n${HELD_UP}\n`);
    expect(held).not.toBe(script);
    const env = { ...process.env, PATH: `${folder}:${process.env["PATH"]}` };
    expect(spawnSync("bash", ["-c", held], { env, timeout: 20_000 }).status).toBe(4);
  });
});

describe("a batch script at the end of its time", () => {
  /** With an srun that saves as it is told to and ends as an interrupted run does, and a scontrol that notes what it is asked for. */
  async function ended(restarts: number, hasSaved: boolean, changed = (script: string) => script) {
    const folder = await temporaryDirectory();
    const out = join(folder, "run");
    await mkdir(join(out, "checkpoints"), { recursive: true });
    await writeFile(join(out, "checkpoints", "step-000000000010.ckpt"), "");
    const commands = {
      // Its sending of the signal waits until the script catches that.
      srun: `trap '${hasSaved ? `touch ${join(out, "checkpoints", "step-000000000020.ckpt")}` : ":"}; exit 130' USR2\nuntil (( 0x$(awk '/^SigCgt/ { print $2 }' "/proc/$PPID/status") & 0x200 )); do :; done\nkill -USR1 "$PPID"\nwhile :; do sleep 0.05; done`,
      scontrol: `echo "$*" >>${join(folder, "asked")}`,
    };
    for (const [name, text] of Object.entries(commands)) {
      await writeFile(join(folder, name), `#!/usr/bin/env bash\n${text}\n`, { mode: 0o755 });
    }
    const script = renderBatchScript({ ...PLAN, out, output: null, folders: [] });
    const env = {
      ...process.env,
      PATH: `${folder}:${process.env["PATH"]}`,
      SLURM_JOB_ID: "7",
      SLURM_RESTART_COUNT: `${restarts}`,
    };
    const { status, stderr } = spawnSync("bash", ["-c", changed(script)], { env, encoding: "utf8", timeout: 20_000 });
    const asked = await readFile(join(folder, "asked"), "utf8").catch(() => "");
    return { status, stderr, asked };
  }

  it.each([
    ["a later state was saved", 3, true],
    ["nothing was saved, at the first start", 0, false],
  ])("is queued again when %s", async (_, restarts, hasSaved) => {
    const { asked, stderr } = await ended(restarts, hasSaved);
    expect(asked).toBe("requeue 7\n");
    expect(stderr).toContain("the job is queued again, and goes on from its checkpoint");
  });

  it("is queued again when its run has ended before the script looks, after the signal that broke its wait off", async () => {
    const { asked } = await ended(0, true, (script) => {
      const held = script.replace('do wait "$step" || true; done', `do wait "$step" || true; ${HELD_UP}; done`);
      expect(held).not.toBe(script);
      return held;
    });
    expect(asked).toBe("requeue 7\n");
  });

  it("ends with its reason when a second start has saved nothing either", async () => {
    const { status, asked, stderr } = await ended(1, false);
    expect({ status, asked }).toEqual({ status: 5, asked: "" });
    expect(stderr).toContain("before any later state was saved, so the job is not queued again. Give it more --time");
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

  it("says that a switch is off, which the job's environment may have on", () => {
    expect(trainArguments({ json: false }, "/")).toEqual(["--json=false"]);
  });
});
