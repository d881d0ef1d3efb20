import { stepsPerEpoch } from "../../shared/epoch-plan.js";
import { learningRateOf } from "../../shared/learning-rate/learning-rate.js";
import { endOfRound, type RoundRules } from "../../shared/round-rules.js";
import type { ExchangeReport } from "../collective/collective.js";
import { applyOuterUpdate } from "./apply-outer-update.js";
import type { UpdateFigures } from "./apply-update.js";
import type { Boundary } from "./checkpoint-clock.js";
import { ratePlan } from "./rate-plan.js";
import type { ReplicaCopy } from "./replica-copy.js";
import { RoundScalars } from "./round-scalars.js";
import type { StepId, StepOutcome, TrainedStep } from "./train-step.js";
import type { TrainingContext } from "./training-context.js";

/** Steps [from, to] of one epoch, counted since the start of the job. */
interface Round {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
}

/** What this worker knows of a step before the round's exchange. */
type OwnStep = Pick<StepOutcome, "localRows" | "elapsedMs" | "hashes">;

interface EndedRound {
  readonly round: Round;
  readonly own: readonly OwnStep[];
  /** Whether this worker wants a checkpoint after it. */
  readonly isWanted: boolean;
}

interface Exchanged extends ExchangeReport {
  /** Which totals it left. */
  readonly set: 0 | 1;
  /** Time in which this worker waited for it. */
  readonly waitedMs: number;
}

/**
 * Training in rounds, the strategy local-sgd: each replica takes H steps by itself, from the common parameters on; one exchange then sums
 * how far all have come, and the outer optimizer moves the common parameters. It is the ordered exchange of gradients, and everything
 * before it belongs to a replica and not to a worker; so the result's bits are those of R replicas on any number of workers, as ever.
 *
 * Cost for each worker: one exchange of P floats in H steps instead of H; memory of P floats, and P for each state arena of the optimizer,
 * for each of its replicas.
 */
export class LocalRounds {
  readonly #rules: RoundRules;
  readonly #copies: readonly ReplicaCopy[];

  /** @param copies of this worker's replicas, ascending */
  constructor(rules: RoundRules, copies: readonly ReplicaCopy[]) {
    this.#rules = rules;
    this.#copies = copies;
  }

  /**
   * Trains one round, from the gate's position on, and commits it.
   * @param wantsCheckpoint asked once, just before the exchange, about the round's end
   * @returns its steps, all of which are known only now
   * @throws RingstrasseError NOT_FINITE
   */
  async train(
    context: TrainingContext,
    epoch: number,
    wantsCheckpoint: (end: Boundary) => boolean,
  ): Promise<TrainedStep[]> {
    const { spec, gate, generation, arenas } = context;
    const { step } = gate.position;
    const stepsOfEpoch = stepsPerEpoch(spec.dataset.train.rowCount, spec.batchSize);
    const round: Round = { epoch, from: step + 1, to: endOfRound(this.#rules, step, stepsOfEpoch) };
    gate.begin(round.to, generation, round.to - step);
    for (const copy of this.#copies) copy.begin(arenas.parameters[gate.current]);
    const own: OwnStep[] = [];
    for (let next = round.from; next <= round.to; next++) own.push(await this.#step(context, round, next));
    const end = { epoch, step: round.to, endsEpoch: round.to % stepsOfEpoch === 0 };
    return await this.#finish(context, { round, own, isWanted: wantsCheckpoint(end) });
  }

  async #step(context: TrainingContext, round: Round, step: number): Promise<OwnStep> {
    const startedAt = performance.now();
    const { arenas, board, faults, rank, gate, trace } = context;
    const id = { epoch: round.epoch, step };
    faults.fire(rank, step);
    board.position(id.epoch, id.step);
    let localRows = 0;
    for (const copy of this.#copies) {
      const { sums, norm } = await copy.step(context, id);
      scalarsOf(arenas.scalars[copy.place.index]).write(step - round.from, {
        sums,
        normTimesRows: (norm ?? 0) * sums.count,
      });
      localRows += sums.count;
    }
    const elapsedMs = performance.now() - startedAt;
    const parameters = rank === 0 ? arenas.parameters[gate.current].values : null;
    // The last step's parameters are the ones that the round leads to.
    const hashes = step === round.to ? null : (trace?.take(id, parameters) ?? null);
    return { localRows, elapsedMs, hashes };
  }

  async #finish(context: TrainingContext, { round, own, isWanted }: EndedRound): Promise<TrainedStep[]> {
    const startedAt = performance.now();
    const { gate, totals, rank, arenas, trace, generation } = context;
    const last = { epoch: round.epoch, step: round.to };
    const exchange = await this.#exchange(context, isWanted);
    gate.arrived(last.step, generation);
    const scalars = new RoundScalars(totals.scalarSums[exchange.set]);
    context.replicaStates?.count(totals.scalarSums[exchange.set]);
    const count = own.reduce((rows, _, at) => rows + scalars.read(at).sums.count, 0);
    applyOuterUpdate(context, last, { sums: totals.sums[exchange.set], count });
    for (const copy of this.#copies) copy.endRound(context);
    const elapsedMs = performance.now() - startedAt;
    const hashes = trace?.take(last, rank === 0 ? arenas.parameters[gate.current].values : null) ?? null;
    return own.map((step, at) => {
      const id = { epoch: round.epoch, step: round.from + at };
      const isLast = id.step === last.step;
      const ended = isLast ? { ...step, hashes, elapsedMs: step.elapsedMs + elapsedMs } : step;
      // The exchange was the last step's.
      const { waitedMs, sentBytes, receivedBytes } = isLast ? exchange : NOTHING_EXCHANGED;
      const { sums, normTimesRows } = scalars.read(at);
      const update = figuresOf(context, id, normTimesRows / sums.count);
      return { id, outcome: { ...ended, totals: sums, update, communicationMs: waitedMs, sentBytes, receivedBytes } };
    });
  }

  async #exchange(context: TrainingContext, isWanted: boolean): Promise<Exchanged> {
    const { arenas, gate, board, collective } = context;
    for (const copy of this.#copies) copy.writeDifference(context, arenas.parameters[gate.current]);
    context.replicaStates?.vote(arenas.scalars, isWanted);
    board.advance("exchange");
    const startedAt = performance.now();
    const exchange = { sequence: context.nextSequence(), withArena: true };
    const report = await collective.allReduce(exchange, context.signal);
    const waitedMs = performance.now() - startedAt;
    board.advance("compute");
    return { ...report, waitedMs, set: exchange.sequence % 2 === 0 ? 0 : 1 };
  }
}

const NOTHING_EXCHANGED = { waitedMs: 0, sentBytes: 0, receivedBytes: 0 } as const;

/** What the replicas' updates of a step were done with. @param meanNorm over all rows, of the gradients of their replicas */
function figuresOf({ spec }: TrainingContext, id: StepId, meanNorm: number): UpdateFigures {
  const learningRate = learningRateOf(ratePlan(spec), id.step);
  return { learningRate, ...(spec.stepRules.clipNorm === null ? {} : { gradientNorm: meanNorm }) };
}

function scalarsOf(block: Float64Array | undefined): RoundScalars {
  if (block === undefined) throw new RangeError("a replica has no scalar block here");
  return new RoundScalars(block);
}
