import { type Cluster, COLLECTIVE_MODELS, type ModelName } from "./collective-models.js";
import type { FittedLine } from "./fit-costs.js";
import type { LinkCosts } from "./link-costs.js";

/** Which model describes a system of bench:allreduce; those not named here are described by none. */
const MODEL_OF: Readonly<Record<string, ModelName>> = {
  shm: "shm",
  hierarchical: "hierarchical",
  "ring-ipc": "ring",
  "ring-tcp": "ring",
  mpich: "tree",
  "openmpi-shm": "tree",
  "openmpi-tcp": "tree",
  gloo: "ring",
};

/** The model that describes a system; undefined: none does. */
export function modelOf(system: string): ModelName | undefined {
  return MODEL_OF[system];
}

/**
 * How latency and time per byte of one host's collective grow with the ranks, as its model says. On one host nothing is moved but by the
 * processor: from more ranks than cores on, they take turns, and all times grow by ranks ÷ cores. Pure.
 * @returns a scale for `validate`
 */
export function hostScale(cores: number) {
  return (system: string, from: number, to: number): { latency: number; perByte: number } => {
    const model = modelOf(system);
    if (model === undefined) throw new RangeError(`no model describes ${system}`);
    const crowding = Math.max(1, to / cores) / Math.max(1, from / cores);
    const ratio = (costs: LinkCosts, sizeBytes: number): number =>
      COLLECTIVE_MODELS[model](sizeBytes, hostOf(to, costs)) / COLLECTIVE_MODELS[model](sizeBytes, hostOf(from, costs));
    return {
      latency: crowding * ratio({ alphaS: 1, betaSPerByte: 0, gammaSPerByte: 0 }, 1),
      perByte: crowding * ratio({ alphaS: 0, betaSPerByte: 1, gammaSPerByte: 0 }, 1),
    };
  };
}

/** α and β of the link under a ring of so many ranks of one host, from the line of its all-reduce; what is added is in β. */
export function linkOfRing({ latencyUs, usPerByte }: FittedLine, ranks: number): LinkCosts {
  const steps = 2 * (ranks - 1);
  return { alphaS: latencyUs / steps / 1e6, betaSPerByte: (usPerByte * ranks) / steps / 1e6, gammaSPerByte: 0 };
}

function hostOf(workers: number, costs: LinkCosts): Cluster {
  return { workers, workersPerHost: workers, network: costs, memory: costs };
}
