import type { NetworkSummary, NetworkSummaryRow } from "../vinnsl/summarise-network.js";
import { columnTable } from "./summary-table.js";

/** What `validate --summary` prints: one row per block, and the totals. */
export function layerTable({ rows, totalParameters, totalSizeBytes }: NetworkSummary): string {
  const cells = rows.map((row, index) => [
    row.block,
    row.normalised ? `${row.kind}, batchNorm` : row.kind,
    row.shape.join("×"),
    row.activation ?? (index === rows.length - 1 ? "by problem" : ""),
    row.parameters.toLocaleString("en"),
  ]);
  const table = columnTable(["block", "kind", "outputs", "activation", "parameters"], cells);
  const shortcuts = rows.flatMap(describeShortcuts).join("");
  return `${table}${shortcuts}${totalParameters.toLocaleString("en")} parameters, ${(totalSizeBytes / 1024).toFixed(1)} KiB as float32`;
}

function describeShortcuts({ block, shortcuts }: NetworkSummaryRow): string[] {
  return shortcuts.length === 0 ? [] : [`shortcuts to ${block} from ${shortcuts.join(", ")}\n`];
}
