import type { ComponentChildren } from "preact";
import { formatCount, formatDuration, formatFigure, formatPercent } from "../stores/format.js";
import type { JobState } from "../stores/job-store.js";
import { type StrategyProgress, strategyProgress } from "../stores/strategy-progress.js";
import { Progress } from "./job-table.js";

/** The job's latest figures in one row. */
export function JobFigures({ state }: { readonly state: JobState }) {
  const { detail, lastEpoch, lastPoint } = state;
  if (detail === null) return null;
  const { job, result, started } = detail;
  const speed = result?.samplesPerSecond ?? lastEpoch?.samplesPerSecond ?? null;
  const communication = result?.communicationFraction ?? lastEpoch?.communicationFraction ?? null;
  return (
    <dl class="figures">
      <Figure label="Epoch" id="epoch">
        <Progress done={job.epoch} of={job.epochs} />
      </Figure>
      <Figure label="Step" id="step">
        {formatCount(job.step)}
      </Figure>
      <StrategyFigures progress={strategyProgress({ started, lastEpoch, step: job.step })} />
      <Figure label="Step loss" id="step-loss">
        {formatFigure(lastPoint?.loss)}
      </Figure>
      <Figure label="Train loss" id="train-loss">
        {formatFigure(job.trainLoss)}
      </Figure>
      <Figure label="Test loss" id="test-loss">
        {formatFigure(result?.testLoss ?? lastEpoch?.testLoss)}
      </Figure>
      {lastEpoch === null || lastEpoch.trainMeanAbsoluteError === null ? (
        <>
          <Figure label="Train accuracy" id="train-accuracy">
            {formatPercent(job.trainAccuracy)}
          </Figure>
          <Figure label="Test accuracy" id="test-accuracy">
            {formatPercent(job.testAccuracy)}
          </Figure>
        </>
      ) : (
        <>
          <Figure label="Train error" id="train-error">
            {formatFigure(lastEpoch.trainMeanAbsoluteError)}
          </Figure>
          <Figure label="Test error" id="test-error">
            {formatFigure(lastEpoch.testMeanAbsoluteError)}
          </Figure>
        </>
      )}
      <Figure label="Samples/s" id="samples-per-second">
        {formatCount(speed)}
      </Figure>
      <Figure label="Communicating" id="communication">
        {formatPercent(communication)}
      </Figure>
      <Figure label={result === null ? "Time left, about" : "Took"} id="time">
        {formatDuration(result?.wallMs ?? remainingMs(state))}
      </Figure>
    </dl>
  );
}

function StrategyFigures({ progress }: { readonly progress: StrategyProgress | null }) {
  if (progress === null) return null;
  if (progress.strategy === "local-sgd") {
    return (
      <Figure label="Round" id="round">
        <Progress done={progress.rounds} of={progress.ofRounds} label="Rounds" />
      </Figure>
    );
  }
  return (
    <>
      <Figure label="Mean staleness" id="mean-staleness">
        {formatFigure(progress.meanStaleness)}
      </Figure>
      <Figure label="Most steps ahead" id="steps-ahead">
        {formatCount(progress.maxStepsAhead)}
      </Figure>
    </>
  );
}

function Figure(props: { readonly label: string; readonly id: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.label}</dt>
      <dd data-figure={props.id}>{props.children}</dd>
    </div>
  );
}

/** As long for each epoch to come as for those that were. */
function remainingMs({ detail, lastEpoch }: JobState): number | null {
  if (lastEpoch === null || detail?.job.status !== "INPROGRESS") return null;
  return (lastEpoch.elapsedMs / lastEpoch.epoch) * (lastEpoch.epochs - lastEpoch.epoch);
}
