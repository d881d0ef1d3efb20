import { z } from "zod";
import type { MetricRow } from "./job-record.js";

/** JSON has no words for these. */
const SPECIAL = ["NaN", "Infinity", "-Infinity", "-0"] as const;
const SpecialSchema = z.enum(SPECIAL).transform(Number);

/** What {@link encodeMetricRow} wrote, parsed. */
export const MetricRowSchema = z.object({
  kind: z.enum(["step", "epoch"]),
  epoch: z.number(),
  step: z.number(),
  at: z.number(),
  values: z.record(z.string(), z.union([z.number(), z.null(), SpecialSchema])),
});

/** One row as JSON text; every number keeps its bits, NaN stays NaN. */
export function encodeMetricRow(row: MetricRow): string {
  const { kind, epoch, step, at } = row;
  const values = Object.fromEntries(Object.entries(row.values).map(([name, value]) => [name, encodeNumber(value)]));
  return JSON.stringify({ kind, epoch, step, at, values });
}

function encodeNumber(value: number | null): number | string | null {
  if (value === null) return null;
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}
