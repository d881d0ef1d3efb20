/** Four significant digits. */
export function formatFigure(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(4) : String(value);
}

/** 0.9333 → `93.33 %` */
export function formatShare(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}

/** 12345.6 → `12,346` */
export function formatRate(value: number): string {
  return Math.round(value).toLocaleString("en-GB");
}

/** 83,000 ms → `1 m 23 s` */
export function formatDuration(durationMs: number): string {
  const tenths = Math.round(durationMs / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours > 0 ? `${hours} h ${minutes} m` : `${minutes} m ${seconds % 60} s`;
}
