import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SlurmScheduler } from "../../../../coordinator/batch/slurm-scheduler.js";
import { SlurmCommands } from "../../../../coordinator/submit/slurm-commands.js";
import { failureOf } from "../../../support/failure-of.js";
import { FakeSlurm } from "../../../support/fake-slurm.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

async function open() {
  const folder = await temporaryDirectory();
  const slurm = await FakeSlurm.open(join(folder, "bin"));
  const script = join(folder, "train.sbatch");
  await writeFile(script, "#!/bin/sh\n#SBATCH --job-name=ours\n");
  return { slurm, script, folder };
}

describe("SlurmScheduler", () => {
  it.each([
    "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
    "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
    "sbatch: error: slurm_persist_conn_open_without_init: Connection refused",
    "sbatch: error: AssocMaxSubmitJobLimit",
    "sbatch: error: Batch job submission failed: Slurm backup controller in standby mode",
  ])("%s: later", async (words) => {
    const { slurm, script } = await open();
    const scheduler = new SlurmScheduler(slurm.commands());
    await slurm.fail("sbatch", words);
    expect(await scheduler.submit(script)).toEqual({ kind: "later", problem: `sbatch failed: ${words}` });
    await slurm.mend("sbatch");
    expect(await scheduler.submit(script)).toEqual({ kind: "submitted", batchJob: "1" });
    expect(await scheduler.find("ours")).toBe("1");
  });

  it("a command that can't be run says nothing of the job", async () => {
    const { script, folder } = await open();
    const scheduler = new SlurmScheduler(new SlurmCommands({ PATH: folder }));
    expect(await scheduler.submit(script)).toEqual({ kind: "later", problem: "there is no command sbatch here" });
  });

  it("an accounting that does not answer keeps nobody from hearing of jobs that the controller knows", async () => {
    const { slurm } = await open();
    const scheduler = new SlurmScheduler(slurm.commands());
    await slurm.say("squeue", "2|RUNNING|0|None|ours|");
    const words = "sacct: error: Problem talking to the database: Connection refused";
    await slurm.fail("sacct", words);
    const states = await scheduler.states(["1", "2"]);
    expect(states.get("2")).toEqual({ kind: "running" });
    const refusal = { failure: { code: "BATCH_REFUSED", problem: `sacct failed: ${words}` } };
    expect(states.get("1")).toMatchObject({ kind: "unanswered", refusal });
    await slurm.fail("sacct", "Slurm accounting storage is disabled");
    expect((await scheduler.states(["1"])).get("1")).toEqual({ kind: "unknown" });
    await slurm.mend("sacct");
    expect((await scheduler.states(["1"])).get("1")).toEqual({ kind: "unknown" });
  });

  it("a cluster without sacct has no accounting", async () => {
    const { slurm, folder } = await open();
    await slurm.say("squeue", "2|RUNNING|0|None|ours|");
    await slurm.remove("sacct");
    // Nothing else is on the path: the machine may have a Slurm of its own.
    const commands = new SlurmCommands({ PATH: join(folder, "bin") });
    const states = await new SlurmScheduler(commands).states(["1", "2"]);
    expect([...states.values()]).toEqual([{ kind: "unknown" }, { kind: "running" }]);
  });

  it("what Slurm refuses is refused for good", async () => {
    const { slurm, script } = await open();
    await slurm.fail("sbatch", "sbatch: error: invalid partition specified: night");
    const failure = await failureOf(() => new SlurmScheduler(slurm.commands()).submit(script));
    expect(failure).toMatchObject({ code: "BATCH_REFUSED", problem: expect.stringContaining("night") });
  });
});
