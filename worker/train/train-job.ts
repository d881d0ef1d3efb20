import { stepsPerEpoch } from "../../shared/epoch-plan.js";
import type { EpochReport } from "../../shared/protocol/control-message.js";
import { type EpochProgress, epochToTrain, type TrainingPosition } from "../../shared/training-position.js";
import { movedWith } from "../async/push-pull.js";
import type { Boundary } from "./checkpoint-clock.js";
import { EpochTotals } from "./epoch-totals.js";
import { evaluateTestRows } from "./evaluate.js";
import { assertFiniteTest } from "./finite-check.js";
import type { meansOf } from "./step-scalars.js";
import { gatherEpoch, trainAsyncStep } from "./train-async-step.js";
import { type StepId, type TrainedStep, trainStep } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/** Hears of every step and epoch of this worker. */
export interface TrainingObserver {
  /** Those that one commit made, in order. */
  onSteps(steps: readonly TrainedStep[]): void;
  /** Before a time without steps, which may be long: what was told so far has to arrive. On every worker. */
  onPause(): void;
  onEpoch(report: EpochReport): void;
  /** Asked where workers must agree on it before they reach a boundary: whether this one wants a checkpoint there. */
  wantsCheckpoint(end: Boundary): boolean;
  /**
   * Between two steps, everything before it told: a place to go on from. Never after the last step of the job.
   * @param progress makes the epoch's progress; null: `id` ends its epoch
   */
  onBoundary(id: StepId, progress: (() => EpochProgress) | null): Promise<void>;
}

/** Where training ended: after the last epoch, or earlier because the loss threshold was reached. */
export interface TrainingEnd {
  readonly epochs: number;
  readonly steps: number;
}

/**
 * The epochs of a job from a position on, which is the gate's too. Every worker decides alike, from the same folded figures.
 * @throws RingstrasseError NOT_FINITE
 */
export async function trainJob(
  context: TrainingContext,
  observer: TrainingObserver,
  position: TrainingPosition,
): Promise<TrainingEnd> {
  const { spec, gate } = context;
  let { progress } = position;
  const first = epochToTrain(position, stepsOf(context));
  for (let epoch = first; epoch <= spec.epochs; epoch++) {
    const report = await trainEpoch(context, { epoch, progress }, observer);
    observer.onPause();
    progress = null;
    const reached = spec.lossThreshold !== null && report.trainLoss < spec.lossThreshold;
    const last = reached || epoch === spec.epochs;
    const test = last || epoch % spec.evaluateEvery === 0 ? await evaluateTestRows(context) : null;
    assertFiniteTest(context, { epoch, step: gate.position.step }, test);
    observer.onEpoch({ ...report, ...testFigures(test) });
    if (last) break;
    await observer.onBoundary(gate.position, null);
  }
  return { epochs: gate.position.epoch, steps: gate.position.step };
}

function stepsOf({ spec }: TrainingContext): number {
  return stepsPerEpoch(spec.dataset.train.rowCount, spec.batchSize);
}

type TestFigures = Pick<EpochReport, "testLoss" | "testAccuracy" | "testMeanAbsoluteError">;

function testFigures(means: ReturnType<typeof meansOf> | null): TestFigures {
  return {
    testLoss: means?.loss ?? null,
    testAccuracy: means?.accuracy ?? null,
    testMeanAbsoluteError: means?.meanAbsoluteError ?? null,
  };
}

interface EpochToTrain {
  readonly epoch: number;
  /** Of the steps that were done before; null: none. */
  readonly progress: EpochProgress | null;
}

async function trainEpoch(
  context: TrainingContext,
  { epoch, progress }: EpochToTrain,
  observer: TrainingObserver,
): Promise<Omit<EpochReport, keyof TestFigures>> {
  const { spec, gate } = context;
  const totals = new EpochTotals(progress);
  const steps = stepsOf(context);
  const lastStep = epoch * steps;
  const isAsync = context.pushPull !== null;
  let held: TrainedStep | null = null;
  while (gate.position.step < lastStep) {
    const trained = await advance(context, epoch, observer);
    for (const { outcome } of trained) totals.add(outcome);
    // An asynchronous epoch's last step is told when all are through: the others are still being served.
    held = isAsync ? (trained.find(({ id }) => id.step === lastStep) ?? null) : null;
    if (held === null) observer.onSteps(trained);
    // Workers of an asynchronous job stand at different steps until the epoch ends.
    if (gate.position.step < lastStep && !isAsync) await observer.onBoundary(gate.position, () => totals.progress());
  }
  if (isAsync) {
    const { sums, served } = await gatherEpoch(context, totals.sums);
    totals.gathered(sums);
    if (held !== null)
      observer.onSteps([{ id: held.id, outcome: { ...held.outcome, ...movedWith(held.outcome, served) } }]);
  }
  return { epoch, steps: gate.position.step, ...totals.figures(spec.model.targets.kind) };
}

/** To the next commit: one step, or a round of several. */
async function advance(
  context: TrainingContext,
  epoch: number,
  observer: TrainingObserver,
): Promise<readonly TrainedStep[]> {
  const { rounds, gate, faults, rank } = context;
  if (rounds !== null) return await rounds.train(context, epoch, (end) => observer.wantsCheckpoint(end));
  const id = { epoch, step: gate.position.step + 1 };
  faults.fire(rank, id.step);
  if (context.pushPull !== null) return [{ id, outcome: await trainAsyncStep(context, id) }];
  const endsEpoch = id.step % stepsOf(context) === 0;
  return [{ id, outcome: await trainStep(context, id, () => observer.wantsCheckpoint({ ...id, endsEpoch })) }];
}
