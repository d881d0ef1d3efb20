import { writeModel } from "../../shared/model-file/write-model.js";
import type { TrainingRun } from "./training-run.js";

/** Keeps the trained model under `model/`. @throws RingstrasseError OUTPUT_UNWRITABLE */
export async function writeTrainedModel(run: TrainingRun, weights: Uint8Array): Promise<void> {
  const { jobId, seed, model, dataset } = run.spec;
  const { transform, classNames } = dataset;
  const { labelColumn, featureNames } = run;
  const named = featureNames === null ? {} : { featureNames: [...featureNames] };
  const facts = { jobId, seed, model, transform, classNames, labelColumn, ...named };
  await writeModel(run.output.modelDir, { facts, weights, version: run.version });
}
