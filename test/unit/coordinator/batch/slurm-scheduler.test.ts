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

  it("what Slurm refuses is refused for good", async () => {
    const { slurm, script } = await open();
    await slurm.fail("sbatch", "sbatch: error: invalid partition specified: night");
    const failure = await failureOf(() => new SlurmScheduler(slurm.commands()).submit(script));
    expect(failure).toMatchObject({ code: "BATCH_REFUSED", problem: expect.stringContaining("night") });
  });
});
