import { describe, expect, it } from "vitest";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatFigure,
  formatMark,
  formatPercent,
  formatRanges,
} from "../../../../../coordinator/dashboard/stores/format.js";

const plain = (text: string) => text.replaceAll("\u2009", " ");

describe("figures as text", () => {
  it.each([
    [formatFigure(null), "–"],
    [formatFigure(0), "0"],
    [formatFigure(0.012345), "0.01235"],
    [formatFigure(-2.5), "-2.500"],
    [formatFigure(12345.6), "12346"],
    [formatFigure(1.2e-7), "1.20e-7"],
    [formatFigure(3.4e9), "3.40e+9"],
    [formatMark(0.30000000000000004), "0.3"],
    [formatMark(12_500), "12.5k"],
    [formatMark(2_000_000), "2M"],
    [formatPercent(0.97254), "97.25 %"],
    [formatPercent(null), "–"],
    [formatCount(1234567.4), "1,234,567"],
    [formatBytes(0), "0 B"],
    [formatBytes(999), "999 B"],
    [formatBytes(1536), "1.5 kB"],
    [formatBytes(31_296), "31.3 kB"],
    [formatBytes(999_999_999), "1.0 GB"],
    [formatDuration(0.424), "0.42 ms"],
    [formatDuration(13.06), "13.1 ms"],
    [formatDuration(731.4), "731 ms"],
    [formatDuration(4_240), "4.2 s"],
    [formatDuration(59_970), "1 min 00 s"],
    [formatDuration(185_000), "3 min 05 s"],
    [formatDuration(7_620_000), "2 h 07 min"],
    [formatAge(0, 4_999), "just now"],
    [formatAge(0, 59_000), "59 s ago"],
    [formatAge(0, 3_599_000), "59 min ago"],
    [formatAge(0, 86_399_000), "23 h ago"],
    [formatAge(0, 86_400_000), "1 day ago"],
    [formatAge(0, 200_000_000), "2 days ago"],
    [formatAge(9_000, 0), "just now"],
    [formatRanges([]), "–"],
    [formatRanges([0, 1, 2, 3, 8]), "0–3, 8"],
    [formatRanges([5, 1, 2]), "1–2, 5"],
  ])("%s is %s", (text, expected) => {
    expect(plain(text)).toBe(expected);
  });
});
