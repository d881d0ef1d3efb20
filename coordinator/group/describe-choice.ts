import type { CollectiveFigures, MeasuredChoice } from "../../shared/collective-choice.js";

/** One line for people: what was chosen, and the figures that it was chosen by. Pure. */
export function describeChoice({ collective, payloadBytes, candidates }: MeasuredChoice): string {
  const chosen = candidates.find((candidate) => candidate.collective === collective);
  if (chosen === undefined) throw new RangeError(`${collective} is not one of those that were measured`);
  const others = candidates.filter((candidate) => candidate !== chosen);
  const expected = others.map((other) => `${describeFigures(other)} by ${other.collective}`).join(", ");
  return `${collective}, since an exchange of ${bytes(payloadBytes)} is expected to take ${describeFigures(chosen)}, and ${expected}`;
}

function describeFigures({ expectedMs, latencyMs, bandwidthBps }: CollectiveFigures): string {
  const moving = bandwidthBps === null ? "" : `, ${figure(bandwidthBps / 1e9)} GB/s`;
  return `${figure(expectedMs)} ms (latency ${figure(latencyMs)} ms${moving})`;
}

/** Two digits that count, never an exponent. */
function figure(value: number): string {
  return value < 10 ? value.toPrecision(2) : value.toFixed(0);
}

function bytes(count: number): string {
  if (count < 1000) return `${count} bytes`;
  return count < 1e6 ? `${(count / 1e3).toPrecision(3)} kB` : `${(count / 1e6).toPrecision(3)} MB`;
}
