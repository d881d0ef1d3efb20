import { parseSlurmTime } from "./slurm-time.js";

/** One node, as a member of one partition. */
export interface SlurmNode {
  readonly partition: string;
  /** Whether jobs that name no partition get this one. */
  readonly isDefault: boolean;
  /** Whether the partition takes jobs. */
  readonly isUp: boolean;
  readonly name: string;
  readonly cpus: number;
  readonly gpus: number;
  /** As Slurm shortens it: idle, mix, alloc, down*, drain, … */
  readonly state: string;
  /** Of the partition. */
  readonly timeLimitS: number;
}

/** Asks `sinfo` for what {@link parseNodes} reads: partition, availability, node, CPUs, generic resources, state, time limit. */
export const SINFO_ARGUMENTS = ["--noheader", "--Node", "--all", "--format=%P|%a|%N|%c|%G|%t|%l"] as const;

/** Pure. @param output of `sinfo` with {@link SINFO_ARGUMENTS} @returns null when it is something else */
export function parseNodes(output: string): SlurmNode[] | null {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const nodes = lines.map(parseNode);
  return nodes.every((node) => node !== null) ? nodes : null;
}

function parseNode(line: string): SlurmNode | null {
  const [partition = "", available, name = "", cpus = "", resources, state, limit] = line.trim().split("|");
  if (resources === undefined || state === undefined || limit === undefined || !/^\d+\+?$/.test(cpus)) return null;
  return {
    partition: partition.replace(/\*$/, ""),
    isDefault: partition.endsWith("*"),
    isUp: available === "up",
    name,
    cpus: Number.parseInt(cpus, 10),
    gpus: gpusOf(resources),
    state,
    timeLimitS: parseSlurmTime(limit),
  };
}

/** `gpu:a100:4(S:0-1),gpu:2,fs:1` → 6 */
function gpusOf(resources: string): number {
  const counts = [...resources.matchAll(/(?:^|,)gpu(?::[^:,()]+)?:(\d+)/g)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}
