import { describeFailure } from "../../shared/describe-failure.js";
import { toFailure } from "../../shared/failure.js";
import { SlurmCommands } from "../submit/slurm-commands.js";
import { commandOutput } from "./command-output.js";
import type { MachineCheck } from "./finding.js";
import { judgeSlurm } from "./judge-slurm.js";

/** Slurm's version, and its partitions. */
export function slurmCheck(environment: NodeJS.ProcessEnv): MachineCheck {
  return async () => {
    const output = await commandOutput("sinfo", ["--version"], environment);
    if (output === null) return [judgeSlurm({ isHere: false, version: null, nodes: [], problem: null })];
    // `slurm-wlm 22.05.8`
    const version = /^\S+ (\S+)$/.exec(output.stdout.trim())?.[1] ?? null;
    try {
      const nodes = await new SlurmCommands(environment).nodes();
      return [judgeSlurm({ isHere: true, version, nodes, problem: null })];
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (failure.code === "INTERNAL") throw thrown;
      const problem = "problem" in failure ? failure.problem : describeFailure(failure);
      return [judgeSlurm({ isHere: true, version, nodes: [], problem })];
    }
  };
}
