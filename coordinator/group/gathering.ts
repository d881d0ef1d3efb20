import type { Failure } from "../../shared/failure.js";
import { unreachable } from "../../shared/unreachable.js";
import { chooseEngine, type EngineNeed } from "./choose-engine.js";
import type { JoinMessage } from "./control-server.js";
import { type KnownRanks, surplus, tooFew } from "./group-failures.js";
import type { JobGroup } from "./job-group.js";
import { decideMembership, type MembershipPolicy } from "./membership.js";
import type { PoolListener, WorkerPool } from "./worker-pool.js";
import type { WorkerRecord } from "./worker-record.js";

const LOOK_INTERVAL_MS = 200;

export interface Gathered {
  readonly pool: WorkerPool;
  readonly group: JobGroup;
  /** Where workers that are started by hand join. */
  readonly endpoint: string;
}

/**
 * Waits for the workers of a run of one job and gives them to its group as soon as all are there. Whatever goes wrong on the way, or
 * later in the pool, ends the job.
 */
export class Gathering implements PoolListener, Disposable {
  readonly #policy: MembershipPolicy;
  readonly #need: EngineNeed;
  #gathered: Gathered | null = null;
  #looking: NodeJS.Timeout | null = null;
  #formed = false;

  /** @param need what every worker must have */
  constructor(policy: MembershipPolicy, need: EngineNeed) {
    this.#policy = policy;
    this.#need = need;
  }

  begin(gathered: Gathered): void {
    this.#gathered = gathered;
    this.#looking = setInterval(() => this.#form(), LOOK_INTERVAL_MS);
  }

  /** Whether there is a place for a worker. @returns the refusal, or null */
  admit(message: JoinMessage, here: readonly WorkerRecord[]): Failure | null {
    // Before all else: whoever comes too late must not be able to fail a job that runs.
    if (this.#formed || here.length >= this.#policy.workers) return surplus(message, this.#policy.workers);
    const decision = chooseEngine(this.#need, [...here.map(({ join }) => join), message]);
    if (decision.kind === "chosen") return null;
    this.broken(decision.failure);
    return decision.failure;
  }

  idle(): void {
    this.#form();
  }

  lost(failure: Failure): void {
    this.broken(failure);
  }

  broken(failure: Failure): void {
    this.#gathered?.group.fail(failure);
  }

  [Symbol.dispose](): void {
    if (this.#looking !== null) clearInterval(this.#looking);
  }

  #form(): void {
    if (this.#gathered === null || this.#formed) return;
    const { pool, group, endpoint } = this.#gathered;
    const { workers } = pool;
    const waitedMs = pool.now();
    const members = workers.map((worker) => worker.member);
    const decision = decideMembership(waitedMs, members, this.#policy);
    switch (decision.kind) {
      case "wait":
        return;
      case "giveUp":
        return group.fail(
          tooFew({
            joined: members.length,
            expected: this.#policy.workers,
            waitedMs: Math.round(waitedMs),
            endpoint: pool.launchedCount === 0 ? endpoint : null,
            ranks: ranksOf(pool),
          }),
        );
      case "form":
        this.#formed = true;
        return group.form({ workers, assignments: decision.assignments, reason: decision.reason });
      default:
        return unreachable(decision);
    }
  }
}

/** Null: whoever started the workers gave them no ranks. */
function ranksOf({ workers, expected }: WorkerPool): KnownRanks | null {
  const joined = workers.flatMap(({ member }) => member.fixedRank ?? []);
  const begun = new Map(expected.flatMap(({ rank, host }) => (rank === undefined ? [] : [[rank, host] as const])));
  return joined.length + begun.size === 0 ? null : { joined, begun };
}
