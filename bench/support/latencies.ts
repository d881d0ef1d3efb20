/** Times of things that happen often, by what they are. */
export class Latencies {
  readonly #times = new Map<string, number[]>();

  add(what: string, ms: number): void {
    this.#times.set(what, [...(this.#times.get(what) ?? []), ms]);
  }

  /** Does `work` and adds the time that it took. */
  async time<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    const began = performance.now();
    const result = await work();
    this.add(what, performance.now() - began);
    return result;
  }

  report(): Readonly<Record<string, { readonly p50: number; readonly p95: number; readonly count: number }>> {
    return Object.fromEntries(
      [...this.#times].map(([what, times]) => {
        const sorted = times.toSorted((a, b) => a - b);
        const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
        return [what, { p50: at(0.5), p95: at(0.95), count: sorted.length }];
      }),
    );
  }
}
