import { median } from "../support/median.js";

/** One measured all-reduce. */
export interface MeasuredPoint {
  readonly system: string;
  readonly ranks: number;
  readonly bytes: number;
  readonly microseconds: number;
}

/** time = latency + bytes · perByte, microseconds. */
export interface FittedLine {
  readonly latencyUs: number;
  readonly usPerByte: number;
}

/** How one system's model agrees with points that it was not fitted to. Errors are |predicted ÷ measured − 1|. */
export interface Validation {
  readonly system: string;
  readonly fitted: FittedLine;
  readonly points: readonly (MeasuredPoint & { readonly predictedUs: number; readonly error: number })[];
  readonly medianError: number;
  readonly worstError: number;
}

/**
 * The line of least relative error through points of one system and one number of ranks: weighted least squares, weights 1/time², so
 * that small sizes count as much as large ones. Negative coefficients, which no machine has, become 0 and the other is fitted alone. Pure.
 * @throws RangeError for fewer than two points
 */
export function fitLine(points: readonly Pick<MeasuredPoint, "bytes" | "microseconds">[]): FittedLine {
  if (points.length < 2) throw new RangeError(`a line through ${points.length} points`);
  let [s00, s01, s11, r0, r1] = [0, 0, 0, 0, 0];
  for (const { bytes, microseconds } of points) {
    const [one, size] = [1 / microseconds, bytes / microseconds];
    s00 += one * one;
    s01 += one * size;
    s11 += size * size;
    r0 += one;
    r1 += size;
  }
  const determinant = s00 * s11 - s01 * s01;
  const latencyUs = (r0 * s11 - r1 * s01) / determinant;
  const usPerByte = (r1 * s00 - r0 * s01) / determinant;
  if (!(latencyUs > 0)) return { latencyUs: 0, usPerByte: r1 / s11 };
  return usPerByte > 0 ? { latencyUs, usPerByte } : { latencyUs: r0 / s00, usPerByte: 0 };
}

/**
 * Fits each system's latency and bandwidth to every other size at the fewest ranks, and predicts all other points: the sizes
 * between, and other numbers of ranks by `scale`. Pure.
 * @param scale how latency and time per byte grow from so many ranks to so many others
 */
export function validate(
  measured: readonly MeasuredPoint[],
  scale: (system: string, from: number, to: number) => { readonly latency: number; readonly perByte: number },
): Validation[] {
  const systems = [...new Set(measured.map(({ system }) => system))];
  return systems.flatMap((system) => {
    const own = measured.filter((point) => point.system === system).sort((a, b) => a.bytes - b.bytes);
    const fewest = Math.min(...own.map(({ ranks }) => ranks));
    const base = own.filter(({ ranks }) => ranks === fewest);
    const fittedTo = base.filter((_, index) => index % 2 === 0);
    const unseen = own.filter((point) => !fittedTo.includes(point));
    if (fittedTo.length < 2 || unseen.length === 0) return [];
    const fitted = fitLine(fittedTo);
    const points = unseen.map((point) => {
      const { latency, perByte } = scale(system, fewest, point.ranks);
      const predictedUs = fitted.latencyUs * latency + fitted.usPerByte * perByte * point.bytes;
      return { ...point, predictedUs, error: Math.abs(predictedUs / point.microseconds - 1) };
    });
    const errors = points.map(({ error }) => error);
    return [{ system, fitted, points, medianError: median(errors), worstError: Math.max(...errors) }];
  });
}
