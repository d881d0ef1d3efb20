import { DEFAULT_CONTROL_PORT, DEFAULT_PORT } from "../cli/serve-options.js";
import { clockCheck } from "./check-clock.js";
import { gpusCheck } from "./check-gpus.js";
import { limitsCheck } from "./check-limits.js";
import { mpiCheck } from "./check-mpi.js";
import { namesCheck } from "./check-names.js";
import { portsCheck } from "./check-ports.js";
import { runDirectoryCheck } from "./check-run-directory.js";
import { sharedMemoryCheck } from "./check-shared-memory.js";
import { slurmCheck } from "./check-slurm.js";
import type { MachineCheck } from "./finding.js";

/** A resolver may ask several servers. */
const NAME_PATIENCE_MS = 5000;

export interface MachineUse {
  readonly environment: NodeJS.ProcessEnv;
  /** The compiled `ringstrasse` command. */
  readonly entry: string;
  /** That this process may run on. */
  readonly cores: number;
  /** Workers of this host, and the threads of each. */
  readonly workers: number;
  readonly threads: number;
  /** Where runs are kept. */
  readonly out: string;
}

/** All checks of `ringstrasse doctor` but those of Node and the engines, in the order in which they are told. */
export function machineChecks({ environment, entry, cores, workers, threads, out }: MachineUse): MachineCheck[] {
  return [
    limitsCheck(cores, workers, threads),
    sharedMemoryCheck(),
    runDirectoryCheck(out, true),
    namesCheck(NAME_PATIENCE_MS),
    portsCheck([DEFAULT_PORT, DEFAULT_CONTROL_PORT]),
    clockCheck(environment),
    gpusCheck(environment),
    mpiCheck(entry, environment),
    slurmCheck(environment),
  ];
}
