import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";
import process from "node:process";

/** What a figure was measured on; part of every benchmark's result. */
export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly at: string;
}

export function machineFacts(): MachineFacts {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    at: new Date().toISOString(),
  };
}
