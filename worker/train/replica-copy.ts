import { learningRateOf } from "../../shared/learning-rate/learning-rate.js";
import type { StepSums } from "../engine/engine.js";
import { clippedDivisor, gradientNorm } from "../optimizer/gradient-norm.js";
import type { Optimizer } from "../optimizer/optimizer.js";
import { updateStatistics } from "../optimizer/update-statistics.js";
import type { Arena, CopyArenas } from "./arenas.js";
import { computeReplica, type LocalReplica } from "./compute-replica.js";
import { firstNotFinite, notFinite } from "./finite-check.js";
import { ratePlan } from "./rate-plan.js";
import type { StepId } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/** What a replica did in one step by itself. */
export interface CopyStep {
  readonly sums: StepSums;
  /** Of its mean gradient before clipping; null: not measured. */
  readonly norm: number | null;
}

/**
 * One replica's own parameters, running statistics and optimizer, which go their own way within a round. Updates are in place. A step for
 * which the replica has no rows is none of its updates.
 */
export class ReplicaCopy {
  readonly place: LocalReplica;
  readonly arenas: CopyArenas;
  /** Rows since the round began. */
  #rows = 0;
  #updates: number;
  readonly #optimizer: Optimizer;

  /** @param updates that its optimizer has done before: see {@link updatesOfReplica} */
  constructor(place: LocalReplica, arenas: CopyArenas, optimizer: Optimizer, updates: number) {
    this.place = place;
    this.arenas = arenas;
    this.#optimizer = optimizer;
    this.#updates = updates;
  }

  /** Begins a round: from the common parameters, with the optimizer's state as it is. */
  begin(common: Arena): void {
    this.arenas.parameters.values.set(common.values);
    this.#rows = 0;
  }

  /**
   * Computes the replica's slice of a step and updates its copy.
   * @throws RingstrasseError NOT_FINITE, naming the replica: its worker alone sees it
   */
  async step(context: TrainingContext, id: StepId): Promise<CopyStep> {
    const { engine, kernels, spec } = context;
    engine.loadParameters(this.arenas.parameters.values);
    const sums = await computeReplica(context, id, this.place);
    if (sums.count === 0) return { sums, norm: null };
    this.#rows += sums.count;
    if (!Number.isFinite(sums.lossSum))
      throw notFinite(context, id, `the loss of replica ${this.place.replica}`, sums.lossSum / sums.count);
    const { count } = sums;
    const { clipNorm } = spec.stepRules;
    const gradients = this.#gradients(context);
    const length = { address: gradients.address, length: context.arenas.layout.trainableLength, count };
    const norm = clipNorm === null ? null : gradientNorm(kernels, length);
    const divisor = norm === null || clipNorm === null ? count : clippedDivisor(count, norm, clipNorm);
    if (!this.#update(context, id, { count, divisor })) this.#assertFinite(context, id);
    return { sums, norm };
  }

  /**
   * Leaves in the replica's gradient arena how far it has come since the round began, times the rows that it has seen: summed over all
   * replicas and divided by all rows this is the mean difference, in which every row weighs the same.
   */
  writeDifference(context: TrainingContext, common: Arena): void {
    const { kernels, arenas } = context;
    const { address } = this.#gradients(context);
    const own = this.arenas.parameters.address;
    kernels.scaledDifference(address, common.address, own, arenas.layout.paddedLength, this.#rows);
  }

  /**
   * Makes each −0 of the optimizer's state +0: then a state that is summed with zeros of other replicas (replica-states.ts) comes back
   * with the bits that it has here. Overwrites the gradients.
   */
  endRound(context: TrainingContext): void {
    const { kernels, arenas } = context;
    const zeros = this.#gradients(context);
    zeros.values.fill(0);
    for (const { address } of this.arenas.state)
      kernels.add(address, address, zeros.address, arenas.layout.paddedLength);
  }

  /** @returns whether all that it wrote is finite */
  #update(context: TrainingContext, id: StepId, { count, divisor }: { count: number; divisor: number }): boolean {
    const { spec, kernels } = context;
    const { layout } = context.arenas;
    const { parameters, state } = this.arenas;
    const gradients = this.#gradients(context);
    const copies = { parameters: parameters.address, state: state.map(({ address }) => address) };
    const areFinite = this.#optimizer.update({
      step: ++this.#updates,
      current: copies,
      next: copies,
      sums: gradients.address,
      divisor,
      learningRate: learningRateOf(ratePlan(spec), id.step),
      from: 0,
      length: layout.trainableLength,
    });
    const { values } = parameters;
    updateStatistics({ statistics: layout.statistics, current: values, next: values, sums: gradients.values, count });
    const statistics = parameters.address + layout.trainableLength * Float32Array.BYTES_PER_ELEMENT;
    return areFinite && kernels.firstNotFinite(statistics, layout.paddedLength - layout.trainableLength) < 0;
  }

  #assertFinite(context: TrainingContext, id: StepId): void {
    const { replica } = this.place;
    const gradient = firstNotFinite(context, this.#gradients(context));
    if (gradient !== null)
      throw notFinite(context, id, `the gradient of ${gradient.name} in replica ${replica}`, gradient.value);
    const updated = firstNotFinite(context, this.arenas.parameters);
    if (updated !== null)
      throw notFinite(context, id, `the updated ${updated.name} of replica ${replica}`, updated.value);
  }

  #gradients({ arenas }: TrainingContext): Arena {
    const gradients = arenas.gradients[this.place.index];
    if (gradients === undefined) throw new RangeError(`no arena for local replica ${this.place.index}`);
    return gradients;
  }
}
