import { describe, expect, it } from "vitest";
import { type CheckpointPlan, NO_CHECKPOINTS } from "../../../../shared/checkpoint-plan.js";
import { CheckpointClock } from "../../../../worker/train/checkpoint-clock.js";

const STEPS_PER_EPOCH = 4;

/** The steps of 3 epochs after which a checkpoint is taken; each step takes 10 ms. @param isFree whether one can be taken then */
function stepsTaken(plan: Partial<CheckpointPlan>, isFree: (step: number) => boolean = () => true): number[] {
  const clock = new CheckpointClock({ ...NO_CHECKPOINTS, ...plan }, 0);
  const taken: number[] = [];
  for (let step = 1; step <= 3 * STEPS_PER_EPOCH; step++) {
    const endsEpoch = step % STEPS_PER_EPOCH === 0;
    const isDue = clock.passes({ epoch: Math.ceil(step / STEPS_PER_EPOCH), step, endsEpoch }, 10 * step);
    if (!isDue || !isFree(step)) continue;
    taken.push(step);
    clock.taken(10 * step);
  }
  return taken;
}

describe("CheckpointClock", () => {
  it("by steps, by epochs, by time, by several, by none", () => {
    expect(stepsTaken({ everySteps: 5 })).toEqual([5, 10]);
    expect(stepsTaken({ everyEpochs: 1 })).toEqual([4, 8, 12]);
    expect(stepsTaken({ everyEpochs: 2 })).toEqual([8]);
    expect(stepsTaken({ everyMs: 35 })).toEqual([4, 8, 12]);
    expect(stepsTaken({ everySteps: 5, everyEpochs: 2 })).toEqual([5, 8, 10]);
    expect(stepsTaken({})).toEqual([]);
  });

  it("with rounds of several steps: at the end of the round in which one was due, also from the middle of a job on", () => {
    const clock = new CheckpointClock({ ...NO_CHECKPOINTS, everySteps: 5 }, 0, 8);
    const taken = [12, 16, 20, 24, 28, 32].filter((step) => {
      const isDue = clock.passes({ epoch: 1, step, endsEpoch: false }, 0);
      if (isDue) clock.taken(0);
      return isDue;
    });
    // 10, 15, 20, 25 and 30 have passed.
    expect(taken).toEqual([12, 16, 20, 28, 32]);
  });

  it("time counts from the last one, whatever it was taken for", () => {
    expect(stepsTaken({ everySteps: 5, everyMs: 30 })).toEqual([3, 5, 8, 10]);
  });

  it("one that can't be taken when it is due is taken as soon as it can, once", () => {
    expect(stepsTaken({ everySteps: 3 }, (step) => step !== 3 && step !== 4 && step !== 6)).toEqual([5, 7, 9, 12]);
  });
});
