import { stepsPerEpoch } from "../../shared/epoch-plan.js";
import type { JobSpec } from "../../shared/job-spec.js";
import type { LearningRatePlan } from "../../shared/learning-rate/learning-rate.js";

/** The job's learning rate as a function of its steps. */
export function ratePlan({ optimizer, stepRules, epochs, dataset, batchSize }: JobSpec): LearningRatePlan {
  const { schedule, warmUpSteps } = stepRules;
  const steps = stepsPerEpoch(dataset.train.rowCount, batchSize);
  return { learningRate: optimizer.learningRate, schedule, warmUpSteps, epochs, stepsPerEpoch: steps };
}
