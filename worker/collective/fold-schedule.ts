import { arcOf, type Span } from "../../shared/epoch-plan.js";

/** One stop of a block's partial sum: `rank` adds the gradients of its local `replicas`, ascending. */
export interface FoldVisit {
  readonly rank: number;
  readonly replicas: Span;
  /** Replicas already in the partial sum on arrival; 0 at the first visit. */
  readonly foldedBefore: number;
}

/** What one worker does for one block. All null and false never happens: every block passes every worker. */
export interface FoldDuty {
  /** Starts the block with the sum of these replicas. */
  readonly opens: Span | null;
  /** Receives a partial sum of `foldedBefore` replicas and adds these. */
  readonly continues: FoldVisit | null;
  /** Its last addition gives the total. */
  readonly finishes: boolean;
  /** Receives the total; it does unless it `finishes`. */
  readonly receivesTotal: boolean;
  /** Passes a received total on to the next worker, which lacks it. */
  readonly forwardsTotal: boolean;
}

/** What an exchange moves through one worker: payload bytes, without frame headers. */
export interface Traffic {
  readonly sentFrames: number;
  readonly receivedFrames: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/**
 * Who folds what when. Block b is folded left from replica s = b mod R in ring order: `((g_s + g_{s+1}) + …)`.
 *
 * The worker that holds s opens the block. When s is the first replica of its arc, the partial sum visits every worker once
 * (N − 1 hops) and the one before the opener finishes. Otherwise the opener adds s to the end of its arc, and the rest of its
 * arc when the partial sum comes round again (N hops), hence finishes itself. The total then goes on from the finisher
 * to the N − 1 others.
 *
 * Per worker and exchange about 2·(N − 1)/N of all payload bytes go out, as in any ring (Patarasuk and Yuan 2009), and
 * up to (R − N)/(R·N) more for arcs entered in the middle: the price of sums that don't depend on N.
 */
export class FoldSchedule {
  readonly workers: number;
  readonly replicas: number;
  /** Replicas of each worker, by rank. */
  readonly arcs: readonly Span[];
  readonly #visitsByStart: readonly (readonly FoldVisit[])[];

  /** @throws RangeError unless 1 ≤ workers ≤ replicas. */
  constructor(workers: number, replicas: number) {
    if (!Number.isInteger(workers) || !Number.isInteger(replicas) || workers < 1 || workers > replicas) {
      throw new RangeError(`${workers} workers can't hold ${replicas} replicas: each needs at least one`);
    }
    this.workers = workers;
    this.replicas = replicas;
    this.arcs = Array.from({ length: workers }, (_, rank) => arcOf(rank, workers, replicas));
    this.#visitsByStart = Array.from({ length: replicas }, (_, start) => visitsFrom(start, this.arcs));
  }

  /** The visits of block `block`'s partial sum, in order. With one worker, two visits may follow each other without a hop. */
  visits(block: number): readonly FoldVisit[] {
    return this.#visitsByStart[block % this.replicas] ?? [];
  }

  /** What worker `rank` of at least two does for block `block`. */
  duty(block: number, rank: number): FoldDuty {
    const visits = this.visits(block);
    const first = visits[0];
    const finisher = visits.at(-1)?.rank;
    return {
      opens: first !== undefined && first.rank === rank ? first.replicas : null,
      continues: visits.find((visit, at) => at > 0 && visit.rank === rank) ?? null,
      finishes: rank === finisher,
      receivesTotal: rank !== finisher,
      forwardsTotal: rank !== finisher && (rank + 1) % this.workers !== finisher,
    };
  }

  /** What worker `rank` sends and receives when block b has `blockBytes[b]` bytes. Cost: O(blocks). */
  traffic(rank: number, blockBytes: readonly number[]): Traffic {
    const traffic = { sentFrames: 0, receivedFrames: 0, sentBytes: 0, receivedBytes: 0 };
    if (this.workers === 1) return traffic;
    blockBytes.forEach((bytes, block) => {
      const { opens, continues, receivesTotal, forwardsTotal } = this.duty(block, rank);
      const sent = Number(opens !== null) + Number(continues !== null) + Number(forwardsTotal);
      const received = Number(continues !== null) + Number(receivesTotal);
      traffic.sentFrames += sent;
      traffic.receivedFrames += received;
      traffic.sentBytes += sent * bytes;
      traffic.receivedBytes += received * bytes;
    });
    return traffic;
  }
}

function visitsFrom(start: number, arcs: readonly Span[]): FoldVisit[] {
  const opener = arcs.findIndex((arc) => start >= arc.from && start < arc.to);
  const visits: FoldVisit[] = [];
  let foldedBefore = 0;
  const visit = (rank: number, replicas: Span): void => {
    visits.push({ rank, replicas, foldedBefore });
    foldedBefore += replicas.to - replicas.from;
  };
  for (let hop = 0; hop < arcs.length; hop++) {
    const rank = (opener + hop) % arcs.length;
    const arc = arcs[rank];
    if (arc !== undefined) visit(rank, hop === 0 ? { from: start, to: arc.to } : arc);
  }
  const from = arcs[opener]?.from ?? start;
  if (start > from) visit(opener, { from, to: start });
  return visits;
}
