import type { Arena, Arenas } from "./arenas.js";
import type { LocalReplica } from "./compute-replica.js";
import type { TrainingContext } from "./training-context.js";

/** Takes one tensor; a view that is valid for the moment. */
export type TensorSink = (tensor: Float32Array) => void;

/**
 * What each replica carries from step to step for itself, and no other worker has. So that it can be saved, all workers must help at the same
 * place: one that wants a checkpoint votes for it in the scalars of an exchange, whose totals tell all of it alike.
 */
export class ReplicaStates {
  readonly #replicas: readonly LocalReplica[];
  #isCheckpointAgreed = false;

  /** @param replicas of this worker, ascending */
  constructor(replicas: readonly LocalReplica[]) {
    this.#replicas = replicas;
  }

  /** Whether a checkpoint is to be taken behind the last exchange of gradients. */
  get isCheckpointAgreed(): boolean {
    return this.#isCheckpointAgreed;
  }

  /** Before an exchange. @param blocks scalar blocks of this worker's replicas, each with a place for votes at its end */
  vote(blocks: readonly Float64Array[], isWanted: boolean): void {
    // One vote for each worker: who has more replicas does not want it more.
    for (const [index, block] of blocks.entries()) block[block.length - 1] = isWanted && index === 0 ? 1 : 0;
  }

  /** After it. @param totals the folded block */
  count(totals: Float64Array): void {
    this.#isCheckpointAgreed = (totals.at(-1) ?? 0) > 0;
  }

  /**
   * Brings the state of all replicas to all workers, one arena after the other: by replica, then by arena, then by layer; the order of a saved
   * state. All workers call it at the same place, between two commits. Overwrites the gradients.
   *
   * Each arena goes through the collective, as that replica's contribution to a sum in which all others have zeros: every collective can do
   * it, wherever the replicas live, and x + 0 is x (but for −0: see `ReplicaCopy.endRound`). Cost: R all-reduces per arena of a replica, twice
   * what an all-gather would move; it is paid for checkpoints and at the end, not in steps.
   * @param sink null: this worker only helps
   */
  async gather(context: TrainingContext, sink: TensorSink | null): Promise<void> {
    const { arenas, spec, board, totals, collective } = context;
    for (let replica = 0; replica < spec.replicas; replica++) {
      for (let at = 0; at < stateArenasOf(arenas); at++) {
        this.#contribute(arenas, replica, at);
        board.advance("exchange");
        const exchange = { sequence: context.nextSequence(), withArena: true, source: replica };
        await collective.allReduce(exchange, context.signal);
        if (sink === null) continue;
        const { values } = totals.sums[exchange.sequence % 2 === 0 ? 0 : 1];
        for (const { offset, length } of arenas.layout.slots) sink(values.subarray(offset, offset + length));
      }
    }
  }

  #contribute({ gradients, replicaState }: Arenas, replica: number, at: number): void {
    for (const { replica: each, index } of this.#replicas) {
      const [into, from] = [gradients[index], replicaState[index]?.[at]];
      if (into === undefined || from === undefined) throw new RangeError(`no arena for local replica ${index}`);
      if (each === replica) into.values.set(from.values);
      else into.values.fill(0);
    }
  }
}

/** Arenas of one replica's state; the same for all. */
export function stateArenasOf({ replicaState }: { readonly replicaState: readonly (readonly Arena[])[] }): number {
  return replicaState[0]?.length ?? 0;
}
