/**
 * What memory itself allows: the time to copy so many bytes from one place to another, in microseconds, on one core. The best of
 * `repetitions`: a limit, not a habit.
 */
export function copyMicroseconds(sizeBytes: number, repetitions: number): number {
  const [from, to] = [new Uint8Array(sizeBytes).fill(1), new Uint8Array(sizeBytes)];
  let best = Number.POSITIVE_INFINITY;
  // A copy of a few bytes is shorter than the clock's resolution.
  const copies = Math.max(1, Math.floor(65536 / sizeBytes));
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const began = performance.now();
    for (let copy = 0; copy < copies; copy++) to.set(from);
    best = Math.min(best, ((performance.now() - began) * 1000) / copies);
  }
  return best;
}
