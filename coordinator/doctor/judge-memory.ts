import type { Finding } from "./finding.js";

export interface MemoryFacts {
  readonly totalBytes: number;
  /** Of control groups; null: none. */
  readonly limitBytes: number | null;
  readonly workers: number;
}

const MIB = 2 ** 20;
/** What a worker takes with a small model: 150 to 200 MiB were seen, native engines more. */
const WORKER_BYTES = 256 * MIB;

/** Whether the workers of this host have the memory to start with; what models need is checked before their first step. Pure. */
export function judgeMemory({ totalBytes, limitBytes, workers }: MemoryFacts): Finding {
  const most = Math.min(totalBytes, limitBytes ?? totalBytes);
  const isEnough = workers * WORKER_BYTES <= most;
  const limited = limitBytes !== null && limitBytes < totalBytes;
  const there = limited ? `${gib(most)}, the limit of its control group` : gib(most);
  const fewer = Math.max(1, Math.floor(most / WORKER_BYTES));
  return {
    check: "memory",
    status: isEnough ? "ok" : "warning",
    found: isEnough ? there : `${there}, and ${workers} workers need ${WORKER_BYTES / MIB} MiB each to start with`,
    facts: { totalBytes, limitBytes, workers },
    remedy: isEnough
      ? null
      : `Start at most ${fewer} here${limited ? ", or raise the limit (docker --memory, resources.limits.memory in Kubernetes, --mem under Slurm)" : ""}`,
  };
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
}
