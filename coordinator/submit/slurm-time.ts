const UNLIMITED = /^(infinite|unlimited)$/i;

/**
 * Seconds of a time limit as Slurm writes it: `90` and `1:30` are minutes, `1:30:00` has hours, `2-12` and `2-12:00:00` have days.
 * `infinite` is Infinity. Pure.
 * @returns NaN when it is none
 */
export function parseSlurmTime(text: string): number {
  if (UNLIMITED.test(text)) return Number.POSITIVE_INFINITY;
  const [, days, rest = ""] = /^(?:(\d{1,6})-)?(\d{1,9}(?::\d{1,2}){0,2})$/.exec(text) ?? [];
  const parts = rest === "" ? [] : rest.split(":").map(Number);
  const [first = Number.NaN, second = 0, third = 0] = parts;
  if (days !== undefined) return Number(days) * 86_400 + first * 3600 + second * 60 + third;
  // Without days a lone number, and the first of two, are minutes.
  return parts.length === 3 ? first * 3600 + second * 60 + third : first * 60 + second;
}
