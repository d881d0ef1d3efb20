import { totalmem } from "node:os";
import type { MachineCheck } from "./finding.js";
import { judgeMemory } from "./judge-memory.js";
import { judgeProcessors } from "./judge-processors.js";
import { readCgroupLimits } from "./read-limits.js";

/** Whether this host has the processors and the memory for so many workers. @param cores that this process may run on */
export function limitsCheck(cores: number, workers: number, threads: number): MachineCheck {
  return async () => {
    const { cpus, memoryBytes } = await readCgroupLimits();
    return [
      judgeProcessors({ cores, quotaCpus: cpus, workers, threads }),
      judgeMemory({ totalBytes: totalmem(), limitBytes: memoryBytes, workers }),
    ];
  };
}
