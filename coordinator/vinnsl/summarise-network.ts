import type { Activation } from "../../shared/model-spec.js";
import type { NetworkDefinition } from "./network-definition.js";
import { weightsOf } from "./read-structure.js";

/** One line of the layer table. */
export interface NetworkSummaryRow {
  /** ID of the block. */
  readonly block: string;
  readonly kind: "input" | "dense";
  readonly outputs: number;
  /** Null for the input, and for an output that follows from problem and loss. */
  readonly activation: Activation | null;
  /** Weights and biases. */
  readonly parameters: number;
}

/** The layer table of a network and its totals. */
export interface NetworkSummary {
  /** Input to output. */
  readonly rows: readonly NetworkSummaryRow[];
  readonly totalParameters: number;
  /** Of the parameters as float32. */
  readonly totalSizeBytes: number;
}

/** What `ringstrasse validate --summary` shows. Pure. */
export function summariseNetwork({ input, hidden, output }: NetworkDefinition): NetworkSummary {
  const rows: NetworkSummaryRow[] = [
    { block: input.id, kind: "input", outputs: input.size, activation: null, parameters: 0 },
  ];
  let inputs = input.size;
  for (const { id, size, activation } of [...hidden, output]) {
    rows.push({ block: id, kind: "dense", outputs: size, activation, parameters: weightsOf(inputs, size) });
    inputs = size;
  }
  const totalParameters = rows.reduce((sum, row) => sum + row.parameters, 0);
  return { rows, totalParameters, totalSizeBytes: totalParameters * 4 };
}
