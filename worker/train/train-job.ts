import { stepsPerEpoch } from "../../shared/epoch-plan.js";
import type { EpochReport } from "../../shared/protocol/control-message.js";
import type { StepSums } from "../engine/engine.js";
import { EpochUpdates } from "./epoch-updates.js";
import { evaluateTestRows } from "./evaluate.js";
import { assertFiniteTest } from "./finite-check.js";
import { addSums, meansOf, NO_SUMS } from "./step-scalars.js";
import { type StepId, type StepOutcome, trainStep } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/** Hears of every step and epoch of this worker. */
export interface TrainingObserver {
  onStep(id: StepId, outcome: StepOutcome): void;
  onEpoch(report: EpochReport): void;
}

/** Where training ended: after the last epoch, or earlier because the loss threshold was reached. */
export interface TrainingEnd {
  readonly epochs: number;
  readonly steps: number;
}

/**
 * All epochs of a job, from the committed position on. Every worker decides alike, from the same folded figures.
 * @throws RingstrasseError NOT_FINITE
 */
export async function trainJob(context: TrainingContext, observer: TrainingObserver): Promise<TrainingEnd> {
  const { spec, gate } = context;
  for (let epoch = gate.position.epoch + 1; epoch <= spec.epochs; epoch++) {
    const report = await trainEpoch(context, epoch, observer);
    const reached = spec.lossThreshold !== null && report.trainLoss < spec.lossThreshold;
    const last = reached || epoch === spec.epochs;
    const test = last || epoch % spec.evaluateEvery === 0 ? await evaluateTestRows(context) : null;
    assertFiniteTest(context, { epoch, step: gate.position.step }, test);
    observer.onEpoch({ ...report, ...testFigures(test) });
    if (reached) break;
  }
  return { epochs: gate.position.epoch, steps: gate.position.step };
}

type TestFigures = Pick<EpochReport, "testLoss" | "testAccuracy" | "testMeanAbsoluteError">;

function testFigures(means: ReturnType<typeof meansOf> | null): TestFigures {
  return {
    testLoss: means?.loss ?? null,
    testAccuracy: means?.accuracy ?? null,
    testMeanAbsoluteError: means?.meanAbsoluteError ?? null,
  };
}

async function trainEpoch(
  context: TrainingContext,
  epoch: number,
  observer: TrainingObserver,
): Promise<Omit<EpochReport, keyof TestFigures>> {
  const { spec, gate } = context;
  const rowCount = spec.dataset.train.rowCount;
  let totals: StepSums = NO_SUMS;
  const updates = new EpochUpdates();
  let stepMs = 0;
  let communicationMs = 0;
  for (let index = 0; index < stepsPerEpoch(rowCount, spec.batchSize); index++) {
    const id = { epoch, step: gate.position.step + 1 };
    context.faults.fire(context.rank, id.step);
    const outcome = await trainStep(context, id);
    totals = addSums(totals, outcome.totals);
    updates.add(outcome.update);
    stepMs += outcome.elapsedMs;
    communicationMs += outcome.communicationMs;
    observer.onStep(id, outcome);
  }
  const means = meansOf(totals, spec.model.targets.kind);
  return {
    epoch,
    steps: gate.position.step,
    trainLoss: means.loss,
    trainAccuracy: means.accuracy,
    trainMeanAbsoluteError: means.meanAbsoluteError,
    rows: totals.count,
    stepMs,
    communicationMs,
    ...updates.figures(),
  };
}
