import type { HashLogHeader } from "../output/hash-log-format.js";
import type { ConfigurationDifference } from "./run-difference.js";

/** Why hashes of the two runs can't be set against each other; empty when they can. Pure. */
export function incomparableReasons(a: HashLogHeader, b: HashLogHeader): string[] {
  const reasons: string[] = [];
  if (a.replicas !== b.replicas) reasons.push(`replicas ${a.replicas} and ${b.replicas}`);
  const tensors = firstTensorDifference(a, b);
  if (tensors !== null) reasons.push(`the networks differ: ${tensors}`);
  const [cutA, cutB] = [describeBlocks(a), describeBlocks(b)];
  // With other replicas or tensors the cut differs as a consequence: naming it too would hide the reason.
  if (reasons.length === 0 && cutA !== cutB) reasons.push(`blocks ${cutA} and ${cutB}`);
  if (a.stateNames.join() !== b.stateNames.join()) {
    reasons.push(`optimizer state ${describeState(a)} and ${describeState(b)}`);
  }
  return reasons;
}

/** Every fact that the headers disagree about, those that decide over the bits first. Pure. */
export function configurationDifferences(a: HashLogHeader, b: HashLogHeader): ConfigurationDifference[] {
  return [
    ...differences({ replicas: a.replicas, ...a.numerics }, { replicas: b.replicas, ...b.numerics }, true),
    ...differences(a.machinery, b.machinery, false),
  ];
}

/** Facts that every run has, whatever its version's log said of them. */
const UNTOLD: ReadonlySet<string> = new Set(["testSplit", "labelIndex"]);

function differences<Facts extends object>(a: Facts, b: Facts, numeric: boolean): ConfigurationDifference[] {
  const found: ConfigurationDifference[] = [];
  // Of two versions, one may know facts that the other doesn't.
  for (const name of Object.keys({ ...a, ...b }) as (keyof Facts & string)[]) {
    if (UNTOLD.has(name) && (a[name] === undefined || b[name] === undefined)) continue;
    const [inA, inB] = [describe(a[name]), describe(b[name])];
    if (inA !== inB) found.push({ name, a: inA, b: inB, numeric });
  }
  return found;
}

function describe(value: unknown): string {
  // What a log doesn't speak of, its version had none of.
  if (value === null || value === undefined) return "none";
  if (typeof value !== "object") return String(value);
  const { kind, ...rest } = value as Record<string, unknown>;
  const details = Object.entries(rest).map(([name, detail]) => `${name} ${describe(detail)}`);
  return [...(kind === undefined ? [] : [String(kind)]), ...details].join(" ");
}

function firstTensorDifference(a: HashLogHeader, b: HashLogHeader): string | null {
  for (let index = 0; index < Math.max(a.tensors.length, b.tensors.length); index++) {
    const [inA, inB] = [describeTensor(a.tensors[index]), describeTensor(b.tensors[index])];
    if (inA !== inB) return `tensor ${index} is ${inA} and ${inB}`;
  }
  return null;
}

function describeTensor(tensor: HashLogHeader["tensors"][number] | undefined): string {
  return tensor === undefined ? "missing" : `${tensor.name} [${tensor.shape.join(", ")}] at ${tensor.offset}`;
}

function describeBlocks({ blocks }: HashLogHeader): string {
  return `${blocks.blockCount} of ${blocks.blockLength} (${blocks.paddedLength} floats)`;
}

function describeState({ stateNames }: HashLogHeader): string {
  return stateNames.length === 0 ? "none" : stateNames.join(", ");
}
