/** What of a process is watched, by name: bytes, or a count. */
export type Held = Readonly<Record<string, number>>;

/** What became of one thing that one process held. */
export interface ResourceReport {
  readonly pid: number;
  readonly role: string;
  readonly name: string;
  /** Highest of the first half of the samples, and of the second: what is never given back lifts the second. */
  readonly before: number;
  readonly after: number;
}

/** What processes hold, sample by sample. */
export class ResourceTrack {
  readonly #processes = new Map<number, { role: string; samples: Held[] }>();

  /** @param role last said wins: processes name themselves only after they have started */
  add(pid: number, role: string, held: Held): void {
    const track = this.#processes.get(pid) ?? { role, samples: [] };
    this.#processes.set(pid, track);
    track.role = role;
    track.samples.push(held);
  }

  /** Of all processes with samples enough to have two halves. */
  report(): ResourceReport[] {
    return [...this.#processes].flatMap(([pid, { role, samples }]) => {
      const half = samples.length >> 1;
      const [first, second] = [samples.slice(0, half), samples.slice(half)];
      if (first.length === 0) return [];
      return Object.keys(samples[0] ?? {}).map((name) => {
        return { pid, role, name, before: highest(first, name), after: highest(second, name) };
      });
    });
  }
}

/** What has grown by more than it may. @param tolerated by name; whatever is not named may not grow at all */
export function growthComplaints(
  reports: readonly ResourceReport[],
  tolerated: Readonly<Record<string, number>>,
): string[] {
  return reports.flatMap(({ pid, role, name, before, after }) => {
    const most = tolerated[name] ?? 0;
    if (after - before <= most) return [];
    return [`${role} ${pid}: ${name} grew from ${before} to ${after} (tolerated: ${most})`];
  });
}

function highest(samples: readonly Held[], name: string): number {
  return Math.max(...samples.map((held) => held[name] ?? Number.NaN));
}
