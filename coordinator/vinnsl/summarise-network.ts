import type { RowShape } from "../../shared/layer-shape.js";
import type { Activation } from "../../shared/model-spec.js";
import type { HiddenBlock, NetworkDefinition } from "./network-definition.js";
import { weightsOf } from "./settle-blocks.js";

/** One line of the layer table. */
export interface NetworkSummaryRow {
  /** ID of the block. */
  readonly block: string;
  readonly kind: "input" | "dense" | NonNullable<HiddenBlock["layer"]>["kind"];
  /** Numbers of a row that come out. */
  readonly outputs: number;
  /** `[height, width, channels]` of what comes out, or `[outputs]`. */
  readonly shape: RowShape;
  /** Whether batch normalisation stands before the activation. */
  readonly normalised: boolean;
  /** IDs of the blocks that shortcuts lead from. */
  readonly shortcuts: readonly string[];
  /** Null for the input, for layers without, and for an output that follows from problem and loss. */
  readonly activation: Activation | null;
  /** Weights and biases, and what a normalisation learns. */
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
  const weights = weightsOf({ input, hidden, output });
  const ids = hidden.map(({ id }) => id);
  const blocks: readonly HiddenBlock[] = [...hidden, output];
  const rows: NetworkSummaryRow[] = [
    {
      block: input.id,
      kind: "input",
      outputs: input.size,
      shape: input.image ?? [input.size],
      normalised: false,
      shortcuts: [],
      activation: null,
      parameters: 0,
    },
    ...blocks.map(({ id, size, activation, layer, normalisation, shortcuts = [], shape }, index) => ({
      block: id,
      kind: layer?.kind ?? ("dense" as const),
      outputs: size,
      shape: shape ?? [size],
      normalised: normalisation !== undefined,
      shortcuts: shortcuts.map((source) => ids[source] ?? input.id),
      activation,
      parameters: weights[index] ?? 0,
    })),
  ];
  const totalParameters = rows.reduce((sum, row) => sum + row.parameters, 0);
  return { rows, totalParameters, totalSizeBytes: totalParameters * 4 };
}
