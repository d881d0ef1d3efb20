import type { StepSettings } from "./step-settings.js";

/** What a job's steps have that is not plain, for people: e.g. `the schedule cosine`. Empty: nothing. Pure. */
export function describeStepSettings(settings: StepSettings): string[] {
  const { accumulate, clipNorm, schedule, warmUp, referenceBatch, compress, topkFraction, strategy } = settings;
  return [
    accumulate.value === 1 ? null : `steps in ${accumulate.value} micro-batches for each replica`,
    clipNorm.value === null ? null : `gradients clipped to the norm ${clipNorm.value} over all layers`,
    schedule.value.kind === "constant" ? null : `the learning-rate schedule ${schedule.value.kind}`,
    warmUp.value === null ? null : `a warm-up over ${warmUp.value.amount} ${warmUp.value.unit}`,
    referenceBatch.value === null ? null : `a learning rate scaled from steps of ${referenceBatch.value} rows`,
    settings.precision.value === "float32" ? null : `products in ${settings.precision.value}`,
    compress.value === "none" || compress.value === "topk" ? null : `gradients rounded to ${compress.value}`,
    compress.value === "topk" ? `only a share of ${topkFraction.value} of gradients sent at once` : null,
    strategy.value === "sync" ? null : `the strategy ${strategy.value}`,
  ].filter((text) => text !== null);
}
