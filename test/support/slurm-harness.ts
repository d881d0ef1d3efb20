import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { SlurmScheduler } from "../../coordinator/batch/slurm-scheduler.js";
import { SlurmCommands } from "../../coordinator/submit/slurm-commands.js";
import type { SchedulerHarness } from "../conformance/batch-scheduler.suite.js";
import type { SlurmCluster } from "./slurm-cluster.js";

/** The scheduler as the service has it, its commands run on a cluster's login node. */
export function slurmHarness(cluster: SlurmCluster): SchedulerHarness {
  const written = async (name: string, lines: readonly string[]): Promise<string> => {
    const path = join(cluster.folder, `${name}.sbatch`);
    await writeFile(path, `#!/bin/sh\n${lines.join("\n")}\n`);
    return path;
  };
  return {
    scheduler: new SlurmScheduler(new SlurmCommands(process.env, cluster.through("login"))),
    script: (name) => {
      const end = join(cluster.folder, `${name}.end`);
      return written(name, [
        `#SBATCH --job-name=${name} --output=/dev/null`,
        `while [ ! -e ${end} ]; do sleep 0.1; done`,
        `exit "$(cat ${end})"`,
      ]);
    },
    impossibleScript: () => written("impossible", ["#SBATCH --partition=night"]),
    end: async (name, exitCode) => {
      const end = join(cluster.folder, `${name}.end`);
      await writeFile(`${end}-unfinished`, String(exitCode));
      await rename(`${end}-unfinished`, end);
    },
  };
}
