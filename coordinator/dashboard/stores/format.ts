const NO_VALUE = "–";

/** Four significant digits, e.g. `0.01234`, `12.35`; very small and large ones with an exponent. Pure, as all here. */
export function formatFigure(value: number | null | undefined): string {
  if (value === null || value === undefined) return NO_VALUE;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) return value.toExponential(2);
  return size >= 1000 ? String(Math.round(value)) : value.toPrecision(4);
}

/** As short as it can be, for the marks of an axis, e.g. `0.5`, `12`, `1e-6`. */
export function formatMark(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(4))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(4))}k`;
  return String(Number(value.toPrecision(4)));
}

/** Of a part in 0 … 1, e.g. `97.25 %`. */
export function formatPercent(part: number | null | undefined): string {
  return part === null || part === undefined ? NO_VALUE : `${(100 * part).toFixed(2)}\u2009%`;
}

/** e.g. `12,345`. */
export function formatCount(value: number | null | undefined): string {
  return value === null || value === undefined ? NO_VALUE : Math.round(value).toLocaleString("en-GB");
}

/** e.g. `1.5 MB`, in powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(value >= 10 ? 3 : 2)}\u2009${units[unit]}`;
}

/** e.g. `0.42 ms`, `13.1 ms`, `4.2 s`, `3 min 05 s`, `2 h 07 min`. */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NO_VALUE;
  if (ms < 999.5) return `${ms >= 100 ? Math.round(ms) : ms.toPrecision(ms >= 1 ? 3 : 2)}\u2009ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)}\u2009s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** How long ago, in one unit, e.g. `just now`, `12 s ago`, `3 days ago`. */
export function formatAge(thenMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - thenMs) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? "1 day ago" : `${days} days ago`;
}

/** Whole numbers with runs drawn together, e.g. `0–3, 8`. */
export function formatRanges(numbers: readonly number[]): string {
  if (numbers.length === 0) return NO_VALUE;
  const runs: [number, number][] = [];
  for (const value of [...numbers].sort((left, right) => left - right)) {
    const run = runs.at(-1);
    if (run !== undefined && value === run[1] + 1) run[1] = value;
    else runs.push([value, value]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ");
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
