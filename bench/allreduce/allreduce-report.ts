import { z } from "zod";
import { alignedTable } from "../support/aligned-table.js";
import { median } from "../support/median.js";
import type { Timing } from "./rank-messages.js";

const FLOAT_BYTES = 4;
/** What the ratios are to. */
export const BASELINE = "gloo";

/** One system at one size on so many ranks; figures as nccl-tests define them. */
export const AllreduceRowSchema = z.object({
  system: z.string(),
  ranks: z.number(),
  bytes: z.number(),
  /** Median over the rounds. */
  microseconds: z.number(),
  /** Bytes ÷ time, in GB/s. */
  algbw: z.number(),
  /** algbw · 2 (N − 1) ÷ N: what each link of a ring carries. */
  busbw: z.number(),
  /** Median of each round's time ÷ Gloo's time in the same round; null without Gloo. */
  ratioToGloo: z.number().nullable(),
  /** Time of copying as many bytes once ÷ time. */
  fractionOfCopy: z.number(),
  /** Wrong elements over all rounds; must be 0. */
  wrong: z.number(),
  rounds: z.array(z.number()),
});
export type AllreduceRow = Readonly<z.infer<typeof AllreduceRowSchema>>;

/** `timings[round]` of each system; pure. */
export function reportRows(
  ranks: number,
  measured: ReadonlyMap<string, readonly (readonly Timing[])[]>,
  copyMicroseconds: ReadonlyMap<number, number>,
): AllreduceRow[] {
  const rows: AllreduceRow[] = [];
  const baseline = measured.get(BASELINE);
  for (const [system, rounds] of measured) {
    for (const [index, { count }] of (rounds[0] ?? []).entries()) {
      const times = rounds.map((timings) => timings[index]?.microseconds ?? Number.NaN);
      const ratios = times.map((time, round) => time / (baseline?.[round]?.[index]?.microseconds ?? Number.NaN));
      const microseconds = median(times);
      const bytes = count * FLOAT_BYTES;
      const algbw = bytes / microseconds / 1000;
      rows.push({
        system,
        ranks,
        bytes,
        microseconds,
        algbw,
        busbw: (algbw * 2 * (ranks - 1)) / ranks,
        ratioToGloo: baseline === undefined ? null : median(ratios),
        fractionOfCopy: (copyMicroseconds.get(count) ?? Number.NaN) / microseconds,
        wrong: rounds.reduce((sum, timings) => sum + (timings[index]?.wrong ?? 0), 0),
        rounds: times,
      });
    }
  }
  return rows;
}

/** What going through us costs: our collective over an MPI ÷ the same MPI without us, medians of each round's ratio; pure. */
export interface PairRow {
  readonly system: string;
  readonly peer: string;
  readonly bytes: number;
  readonly ratio: number;
}

export function pairRows(
  pairs: readonly { readonly name: string; readonly peer: string }[],
  measured: ReadonlyMap<string, readonly (readonly Timing[])[]>,
): PairRow[] {
  return pairs.flatMap(({ name, peer }) => {
    const [own, others] = [measured.get(name), measured.get(peer)];
    if (own === undefined || others === undefined) return [];
    return (own[0] ?? []).map(({ count }, index) => {
      const ratios = own.map(
        (timings, round) =>
          (timings[index]?.microseconds ?? Number.NaN) / (others[round]?.[index]?.microseconds ?? Number.NaN),
      );
      return { system: name, peer, bytes: count * FLOAT_BYTES, ratio: median(ratios) };
    });
  });
}

/** For people: one line a size, one column a system. */
export function reportTable(rows: readonly AllreduceRow[]): string {
  const systems = [...new Set(rows.map(({ system }) => system))];
  const sizes = [...new Set(rows.map(({ bytes }) => bytes))].sort((a, b) => a - b);
  const cell = (bytes: number, system: string): string => {
    const row = rows.find((one) => one.bytes === bytes && one.system === system);
    if (row === undefined) return "";
    const ratio = row.ratioToGloo === null || system === BASELINE ? "" : ` (${row.ratioToGloo.toFixed(2)})`;
    return `${row.microseconds.toFixed(row.microseconds < 100 ? 1 : 0)}${ratio}${row.wrong > 0 ? ` #wrong ${row.wrong}` : ""}`;
  };
  return alignedTable([
    ["bytes", ...systems],
    ...sizes.map((bytes) => [`${bytes}`, ...systems.map((one) => cell(bytes, one))]),
  ]);
}

/** All figures, as nccl-tests show them: one line a system and size. */
export function figureTable(rows: readonly AllreduceRow[]): string {
  const figures = rows.map((row) => [
    row.system,
    `${row.ranks}`,
    `${row.bytes}`,
    row.microseconds.toFixed(1),
    row.algbw.toFixed(3),
    row.busbw.toFixed(3),
    row.ratioToGloo?.toFixed(2) ?? "",
    row.fractionOfCopy.toFixed(3),
    `${row.wrong}`,
  ]);
  return alignedTable([
    ["system", "ranks", "bytes", "µs", "algbw", "busbw", "÷ gloo", "of copy", "#wrong"],
    ...figures,
  ]);
}
