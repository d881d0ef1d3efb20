import type { BlockFolder } from "./block-folder.js";
import type { Exchange, TotalPlaces } from "./collective.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import type { FoldSchedule } from "./fold-schedule.js";
import { GuardedCollective, type MovedBytes } from "./guarded-collective.js";

/**
 * The collective of one worker that holds all replicas: the same visits and the same folder as the ring, without hops,
 * hence the same bits. Cost: R − 1 additions per element.
 */
export class LocalCollective extends GuardedCollective {
  readonly name = "local";
  readonly ordered = true;
  readonly totals: TotalPlaces;
  readonly #schedule: FoldSchedule;
  readonly #folder: BlockFolder;

  /** @throws RangeError when the schedule is one of several workers. */
  constructor(schedule: FoldSchedule, folder: BlockFolder) {
    super();
    if (schedule.workers !== 1) throw new RangeError(`a local collective of ${schedule.workers} workers`);
    this.#schedule = schedule;
    this.#folder = folder;
    this.totals = folder.totals;
  }

  protected async run({ sequence, withArena }: Exchange, signal: AbortSignal): Promise<MovedBytes> {
    const turns = new EventLoopTurns(signal);
    for (const [block, bytes] of this.#folder.blockBytes(withArena).entries()) {
      for (const { replicas, foldedBefore } of this.#schedule.visits(block)) {
        if (foldedBefore === 0) this.#folder.open(block, sequence, replicas);
        else this.#folder.fold(block, sequence, replicas);
      }
      await turns.after(bytes * (this.#schedule.replicas - 1));
    }
    return { sentBytes: 0, receivedBytes: 0 };
  }
}
