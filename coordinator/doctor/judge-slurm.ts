import type { SlurmNode } from "../submit/slurm-nodes.js";
import type { Finding } from "./finding.js";

export interface SlurmFacts {
  /** Whether there is a command sinfo. */
  readonly isHere: boolean;
  /** As `sinfo --version` says; null: it doesn't. */
  readonly version: string | null;
  /** One for each partition that a node is in. */
  readonly nodes: readonly SlurmNode[];
  /** Why they can't be known; null: they are. */
  readonly problem: string | null;
}

/** Which batch system is here, and whether it can be asked. One that can't is no fault of whoever doesn't use it. Pure. */
export function judgeSlurm({ isHere, version, nodes, problem }: SlurmFacts): Finding {
  const check = "Slurm";
  if (!isHere) {
    return { check, status: "absent", found: "no command sinfo", facts: { version, partitions: null }, remedy: null };
  }
  const names = [...new Set(nodes.map(({ partition }) => partition))];
  const facts = { version, partitions: names.join(", ") };
  if (problem !== null) {
    const found = `sinfo${version === null ? "" : ` ${version}`} is here, but no cluster answers: ${problem}`;
    const remedy = "See whether slurmctld runs (scontrol ping) and munge on this host, or ask who runs the cluster";
    return { check, status: "warning", found, facts, remedy };
  }
  const described = names.map((name) => {
    const members = nodes.filter(({ partition }) => partition === name);
    const gpus = members.reduce((sum, node) => sum + node.gpus, 0);
    const isDefault = members.some((node) => node.isDefault);
    return `${name}${isDefault ? " (default)" : ""}: ${counted(members.length, "node")}${gpus > 0 ? `, ${counted(gpus, "GPU")}` : ""}`;
  });
  return {
    check,
    status: "ok",
    found: `version ${version ?? "unknown"}; ${described.join("; ")}`,
    facts,
    remedy: null,
  };
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
