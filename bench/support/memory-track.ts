import type { ProcessSample } from "./process-memory.js";

/** What became of one process's memory over a run. */
export interface MemoryReport {
  readonly pid: number;
  readonly role: string;
  readonly peakBytes: number;
  /** Least-squares slope of resident memory over the last two thirds of the steps; null when there are too few samples. */
  readonly slopeBytesPerThousandSteps: number | null;
  /**
   * Highest of the second half of the samples minus highest of the first. What is never freed lifts it; what garbage collection
   * gives back for a while, at the end of an epoch say, does not.
   */
  readonly growthBytes: number | null;
}

interface Point {
  readonly step: number;
  readonly residentBytes: number;
}

/** Resident memory of each process against the step that training had reached. */
export class MemoryTrack {
  readonly #processes = new Map<number, { role: string; peakBytes: number; points: Point[] }>();

  add(step: number, samples: readonly ProcessSample[]): void {
    for (const { pid, role, residentBytes, peakBytes } of samples) {
      const track = this.#processes.get(pid) ?? { role, peakBytes: 0, points: [] };
      this.#processes.set(pid, track);
      // Processes give themselves their name only after they have started.
      track.role = role;
      track.peakBytes = Math.max(track.peakBytes, peakBytes);
      // Before the first step memory rises because things are being built; that belongs to the peak only.
      if (step > 0) track.points.push({ step, residentBytes });
    }
  }

  report(): MemoryReport[] {
    return [...this.#processes].map(([pid, { role, peakBytes, points }]) => ({
      pid,
      role,
      peakBytes,
      slopeBytesPerThousandSteps: slopePerThousand(points.slice(Math.floor(points.length / 3))),
      growthBytes: growth(points),
    }));
  }
}

function slopePerThousand(points: readonly Point[]): number | null {
  if (points.length < 3) return null;
  const meanStep = points.reduce((sum, { step }) => sum + step, 0) / points.length;
  const meanBytes = points.reduce((sum, { residentBytes }) => sum + residentBytes, 0) / points.length;
  let covariance = 0;
  let variance = 0;
  for (const { step, residentBytes } of points) {
    covariance += (step - meanStep) * (residentBytes - meanBytes);
    variance += (step - meanStep) ** 2;
  }
  return variance === 0 ? null : (1000 * covariance) / variance;
}

function growth(points: readonly Point[]): number | null {
  if (points.length < 2) return null;
  const half = points.length >> 1;
  return highest(points.slice(half)) - highest(points.slice(0, half));
}

function highest(points: readonly Point[]): number {
  return Math.max(...points.map(({ residentBytes }) => residentBytes));
}
