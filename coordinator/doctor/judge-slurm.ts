import type { SlurmNode } from "../submit/slurm-nodes.js";
import type { Finding } from "./finding.js";

export interface SlurmFacts {
  /** As `sinfo --version` says; null: there is no sinfo. */
  readonly version: string | null;
  /** One for each partition that a node is in. */
  readonly nodes: readonly SlurmNode[];
  /** Why they can't be known; null: they are. */
  readonly problem: string | null;
}

/** Which batch system is here, and whether it can be asked. Pure. */
export function judgeSlurm({ version, nodes, problem }: SlurmFacts): Finding {
  const check = "Slurm";
  if (version === null) {
    return { check, status: "absent", found: "no command sinfo", facts: { version, partitions: null }, remedy: null };
  }
  const names = [...new Set(nodes.map(({ partition }) => partition))];
  const facts = { version, partitions: names.join(", ") };
  if (problem !== null) {
    const remedy = "See whether slurmctld runs (scontrol ping) and munge on this host, or ask who runs the cluster";
    return { check, status: "problem", found: `version ${version}, but it doesn't answer: ${problem}`, facts, remedy };
  }
  const described = names.map((name) => {
    const members = nodes.filter(({ partition }) => partition === name);
    const gpus = members.reduce((sum, node) => sum + node.gpus, 0);
    const isDefault = members.some((node) => node.isDefault);
    return `${name}${isDefault ? " (default)" : ""}: ${counted(members.length, "node")}${gpus > 0 ? `, ${counted(gpus, "GPU")}` : ""}`;
  });
  return { check, status: "ok", found: `version ${version}; ${described.join("; ")}`, facts, remedy: null };
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
