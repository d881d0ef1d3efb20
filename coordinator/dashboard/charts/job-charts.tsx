import { useState } from "preact/hooks";
import { formatFigure, formatMark, formatPercent } from "../stores/format.js";
import { EPOCH_CHANNEL, type JobCurves, STEP_CHANNEL } from "../stores/job-curves.js";
import { meanOf, type ThinnedSeries } from "../stores/thinned-series.js";
import { type Line, LineChart } from "./line-chart.js";

/** Loss, accuracy, throughput and share of communication over the steps of a job. */
export function JobCharts({ curves }: { readonly curves: JobCurves }) {
  const [logarithmic, setLogarithmic] = useState(false);
  const { steps, epochs } = curves;
  const step = (channel: number): Line => stepLine(steps, channel);
  const train = { width: 2, colour: "--train", take: "mean", series: epochs, label: "Train" } as const;
  const test = { width: 2, colour: "--test", take: "mean", series: epochs, label: "Test" } as const;
  const loss = STEP_CHANNEL.loss;
  return (
    <section class="charts" aria-label="Charts">
      <div class="chart-with-option">
        <LineChart
          title="Loss"
          description={`per step, last ${formatFigure(latest(steps, loss))}; test ${formatFigure(latest(epochs, EPOCH_CHANNEL.testLoss))}`}
          lines={[
            { series: steps, channel: loss, take: "max", label: "Highest", colour: "--band", width: 0, edge: true },
            { series: steps, channel: loss, take: "min", label: "Lowest", colour: "--band", width: 0, edge: true },
            step(loss),
            { ...train, channel: EPOCH_CHANNEL.trainLoss },
            { ...test, channel: EPOCH_CHANNEL.testLoss },
          ]}
          format={formatFigure}
          logarithmic={logarithmic}
        />
        <label class="chart-option">
          <input
            type="checkbox"
            checked={logarithmic}
            onChange={(event) => setLogarithmic(event.currentTarget.checked)}
          />{" "}
          log scale
        </label>
      </div>
      {isMeasured(epochs, EPOCH_CHANNEL.trainError) ? (
        <LineChart
          title="Mean absolute error"
          description={`test ${formatFigure(latest(epochs, EPOCH_CHANNEL.testError))}`}
          lines={[
            { ...train, channel: EPOCH_CHANNEL.trainError },
            { ...test, channel: EPOCH_CHANNEL.testError },
          ]}
          format={formatFigure}
        />
      ) : (
        <LineChart
          title="Accuracy"
          description={`per step, last ${formatPercent(latest(steps, STEP_CHANNEL.accuracy))}; test ${formatPercent(latest(epochs, EPOCH_CHANNEL.testAccuracy))}`}
          lines={[
            step(STEP_CHANNEL.accuracy),
            { ...train, channel: EPOCH_CHANNEL.trainAccuracy },
            { ...test, channel: EPOCH_CHANNEL.testAccuracy },
          ]}
          format={formatPercent}
          mark={percentMark}
        />
      )}
      <LineChart
        title="Throughput, samples/s"
        description={`last ${formatFigure(latest(steps, STEP_CHANNEL.samplesPerSecond))}`}
        lines={[step(STEP_CHANNEL.samplesPerSecond)]}
        format={formatFigure}
      />
      <LineChart
        title="Time spent communicating"
        description={`last ${formatPercent(latest(steps, STEP_CHANNEL.communicationFraction))}`}
        lines={[step(STEP_CHANNEL.communicationFraction)]}
        format={formatPercent}
        mark={percentMark}
        range={[0, 1]}
      />
    </section>
  );
}

function stepLine(steps: ThinnedSeries, channel: number): Line {
  return { series: steps, channel, take: "mean", label: "Per step", colour: "--step", width: 1 };
}

function percentMark(part: number): string {
  return `${formatMark(100 * part)}\u2009%`;
}

/** Real-valued targets have an error instead of an accuracy. */
function isMeasured(series: ThinnedSeries, channel: number): boolean {
  return series.buckets.some((bucket) => meanOf(bucket, channel) !== null);
}

function latest(series: ThinnedSeries, channel: number): number | null {
  const bucket = series.buckets.at(-1);
  return bucket === undefined ? null : meanOf(bucket, channel);
}
