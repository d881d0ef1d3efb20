import { median } from "./median.js";
import type { ProcessSample } from "./process-memory.js";

/** What became of one process's memory over a run. */
export interface MemoryReport {
  readonly pid: number;
  readonly role: string;
  readonly peakBytes: number;
  /** Least-squares slope of resident memory over the last two thirds of the steps; null when there are too few samples. */
  readonly slopeBytesPerThousandSteps: number | null;
  /** Median of the last sixth of the samples minus that of the third sixth: growth that is neither warm-up nor a passing peak. */
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
  const sixth = Math.floor(points.length / 6);
  if (sixth < 1) return null;
  const early = points.slice(2 * sixth, 3 * sixth).map(({ residentBytes }) => residentBytes);
  const late = points.slice(-sixth).map(({ residentBytes }) => residentBytes);
  return median(late) - median(early);
}
