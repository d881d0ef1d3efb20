import { describe, expect, it } from "vitest";
import { alignColumns } from "../../../../../coordinator/dashboard/charts/chart-data.js";
import { extendCurves, NO_CURVES } from "../../../../../coordinator/dashboard/stores/job-curves.js";
import { emptySeries, extendSeries } from "../../../../../coordinator/dashboard/stores/thinned-series.js";
import { toStepPoint } from "../../../../../shared/api/job-metrics.js";
import { epochEvent, stepEvent } from "../../../../support/train-events.js";

const steps = extendSeries(
  emptySeries(8),
  [1, 2, 3, 4].map((x) => ({ x, values: [x === 3 ? null : x / 2] })),
);
const epochs = extendSeries(
  emptySeries(8),
  [2, 4, 6].map((x) => ({ x, values: [-x] })),
);
const mean = { channel: 0, take: "mean" } as const;

describe("columns of a chart", () => {
  it("share one axis: undefined where a line has no point, null where nothing was measured", () => {
    expect(
      alignColumns([
        { series: steps, ...mean },
        { series: epochs, ...mean },
      ]),
    ).toEqual([
      [1, 2, 3, 4, 6],
      [0.5, 1, null, 2, undefined],
      [undefined, -2, undefined, -4, -6],
    ]);
  });

  it("leave out what a logarithmic axis has no place for", () => {
    expect(alignColumns([{ series: epochs, ...mean }], true)).toEqual([
      [2, 4, 6],
      [null, null, null],
    ]);
  });

  it("take the extremes of a bucket for a band", () => {
    const wide = extendSeries(
      emptySeries(2),
      [2, 3, 5].map((x) => ({ x, values: [x * x] })),
    );
    const band = (take: "min" | "max") => alignColumns([{ series: wide, channel: 0, take }])[1];
    expect(band("min")).toEqual([4, 25]);
    expect(band("max")).toEqual([9, 25]);
  });

  it("draw at most 2,000 points of the longest job", () => {
    let curves = NO_CURVES;
    for (let begin = 0; begin < 60_000; begin += 6_000) {
      const numbers = Array.from({ length: 6_000 }, (_, index) => begin + index + 1);
      curves = extendCurves(curves, {
        steps: numbers.map((step) => toStepPoint(stepEvent(step, step))),
        epochs: numbers.map((epoch) => epochEvent(epoch, { steps: epoch })),
      });
    }
    const [xs] = alignColumns([
      { series: curves.steps, ...mean },
      { series: curves.epochs, ...mean },
    ]);
    expect(xs.length).toBeGreaterThan(600);
    expect(xs.length).toBeLessThanOrEqual(2_000);
  });
});
