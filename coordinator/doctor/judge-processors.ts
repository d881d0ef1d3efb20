import type { Finding } from "./finding.js";

export interface ProcessorFacts {
  /** That this process may run on. */
  readonly cores: number;
  /** Processors' worth of time that control groups leave it; null: no limit. */
  readonly quotaCpus: number | null;
  /** Worker processes on this host. */
  readonly workers: number;
  /** Of each worker's computations. */
  readonly threads: number;
}

/** Whether the workers of this host have a processor for each of their threads. Pure. */
export function judgeProcessors({ cores, quotaCpus, workers, threads }: ProcessorFacts): Finding {
  const needed = workers * threads;
  const quota = quotaCpus === null ? "no quota" : `a quota of ${figure(quotaCpus)}`;
  const there = `${cores} ${cores === 1 ? "core" : "cores"}, ${quota}`;
  const most = Math.min(cores, quotaCpus ?? cores);
  const isEnough = needed <= most;
  const use = `${workers} ${workers === 1 ? "worker" : "workers"} × ${threads} ${threads === 1 ? "thread" : "threads"}`;
  const fewer = Math.max(1, Math.floor(most / threads));
  const more =
    quotaCpus !== null && quotaCpus < cores
      ? "or raise the quota (docker --cpus, resources.limits.cpu in Kubernetes, --cpus-per-task under Slurm)"
      : "or use more hosts";
  return {
    check: "processors",
    status: isEnough ? "ok" : "warning",
    found: isEnough ? there : `${there}, and ${use} = ${needed}: they will wait for each other`,
    facts: { cores, quotaCpus, workers, threads },
    remedy: isEnough ? null : `Start at most ${fewer} ${fewer === 1 ? "worker" : "workers"} here, ${more}`,
  };
}

function figure(cpus: number): string {
  return String(Math.round(cpus * 100) / 100);
}
