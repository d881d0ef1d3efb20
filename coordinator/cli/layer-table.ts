import type { NetworkSummary } from "../vinnsl/summarise-network.js";
import { columnTable } from "./summary-table.js";

/** What `validate --summary` prints: one row per block, and the totals. */
export function layerTable({ rows, totalParameters, totalSizeBytes }: NetworkSummary): string {
  const cells = rows.map(({ block, kind, outputs, activation, parameters }) => [
    block,
    kind,
    String(outputs),
    activation ?? (kind === "input" ? "" : "by problem"),
    parameters.toLocaleString("en"),
  ]);
  const table = columnTable(["block", "kind", "outputs", "activation", "parameters"], cells);
  return `${table}${totalParameters.toLocaleString("en")} parameters, ${(totalSizeBytes / 1024).toFixed(1)} KiB as float32`;
}
