import { blockSpan } from "../../shared/arena-layout.js";
import type { EpochEntry, HashLogEntry, HashLogHeader, StepEntry } from "../output/hash-log-format.js";
import type { FirstDifference } from "./run-difference.js";

/** What differs first between two entries of the same place, without what only the whole comparison knows. */
export type EntryDifference = Omit<FirstDifference, "lastEqual">;

/** Null when the entries are alike. Both have the header's shape and the same kind and place. Pure. */
export function compareEntries(header: HashLogHeader, a: HashLogEntry, b: HashLogEntry): EntryDifference | null {
  if (a.kind === "step" && b.kind === "step") return compareSteps(header, a, b);
  if (a.kind === "epoch" && b.kind === "epoch") return compareEpochs(header, a, b);
  throw new RangeError(`a ${a.kind} can't be compared with a ${b.kind}`);
}

/** A later replica's rows come before an earlier one's gradient: rows are the cause, gradients follow. */
function compareSteps(header: HashLogHeader, a: StepEntry, b: StepEntry): EntryDifference | null {
  const { epoch, step } = a;
  const replicas = a.replicas.map((inA, index) => ({ inA, inB: replicaOf(b, index) }));
  for (const { inA, inB } of replicas) {
    if (inA.rows === inB.rows) continue;
    return {
      epoch,
      step,
      stage: "rows",
      replica: inA.replica,
      block: null,
      tensors: [],
      differingBlocks: 0,
      blockCount: header.blocks.blockCount,
      stateName: null,
      hashes: { a: inA.rows, b: inB.rows },
    };
  }
  for (const { inA, inB } of replicas) {
    const difference = compareBlocks(header, inA.gradients, inB.gradients);
    if (difference !== null) {
      return { epoch, step, stage: "gradient", replica: inA.replica, stateName: null, ...difference };
    }
  }
  const difference = compareBlocks(header, a.parameters, b.parameters);
  return difference && { epoch, step, stage: "update", replica: null, stateName: null, ...difference };
}

function compareEpochs(header: HashLogHeader, a: EpochEntry, b: EpochEntry): EntryDifference | null {
  const { epoch, step } = a;
  const place = { epoch, step, replica: null };
  const parameters = compareBlocks(header, a.parameters, b.parameters);
  if (parameters !== null) {
    return { ...place, stage: step === 0 ? "initial" : "parameters", stateName: null, ...parameters };
  }
  for (const [index, stateName] of header.stateNames.entries()) {
    const state = compareBlocks(header, a.state[index] ?? [], b.state[index] ?? []);
    if (state !== null) return { ...place, stage: "state", stateName, ...state };
  }
  return null;
}

type BlockDifference = Pick<EntryDifference, "block" | "tensors" | "differingBlocks" | "blockCount" | "hashes">;

function compareBlocks(header: HashLogHeader, a: readonly string[], b: readonly string[]): BlockDifference | null {
  const differing = a.flatMap((hash, block) => (hash === b[block] ? [] : [block]));
  const block = differing[0];
  if (block === undefined) return null;
  return {
    block,
    tensors: tensorsInBlock(header, block),
    differingBlocks: differing.length,
    blockCount: header.blocks.blockCount,
    hashes: { a: a[block] ?? "missing", b: b[block] ?? "missing" },
  };
}

/** Names of the tensors that lie in a block, wholly or in part. Pure. */
export function tensorsInBlock(header: HashLogHeader, block: number): string[] {
  const { from, to } = blockSpan(header.blocks, block);
  return header.tensors.filter(({ offset, length }) => offset < to && offset + length > from).map(({ name }) => name);
}

function replicaOf(entry: StepEntry, index: number): StepEntry["replicas"][number] {
  const replica = entry.replicas[index];
  if (replica === undefined) throw new RangeError(`epoch ${entry.epoch}, step ${entry.step} has no replica ${index}`);
  return replica;
}
