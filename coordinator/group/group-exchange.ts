import type { ArenaJob } from "../../shared/arena-demand.js";
import type { CollectiveName, MeasuredChoice } from "../../shared/collective-choice.js";
import type { Failure } from "../../shared/failure.js";
import { type CollectiveDecision, chooseCollective } from "./choose-collective.js";
import { describeChoice } from "./describe-choice.js";
import { divergence } from "./group-failures.js";
import type { GroupMember } from "./group-member.js";
import type { GroupPolicy } from "./group-policy.js";
import { type RingLink, ringLinks } from "./ring-links.js";

/** How the workers of a generation exchange. */
export interface SettledCollective {
  readonly generation: number;
  readonly collective: "local" | CollectiveName;
  /** Whether it folds in the canonical order. */
  readonly ordered: boolean;
  /** Null: nothing was left to choose; else why it was chosen, for people. */
  readonly reason: string | null;
  /** Null: nothing was measured. */
  readonly measured: MeasuredChoice | null;
}

export interface GroupExchangeOptions {
  readonly generation: number;
  /** By rank. */
  readonly members: readonly GroupMember[];
  readonly policy: Pick<GroupPolicy, "collective" | "transport" | "mpiMode">;
  readonly spec: ArenaJob;
  /** Told once, when it is settled. */
  readonly settled: (settled: SettledCollective) => void;
}

/** How the workers of one generation come to exchange: what they are told, and what they have measured where it was left to them. */
export class GroupExchange {
  /** By rank. */
  readonly links: readonly RingLink[];
  /** What the workers are told; a group of one is told something too, and exchanges with nobody. */
  readonly collectives: readonly CollectiveName[];
  readonly #options: GroupExchangeOptions;
  readonly #decision: CollectiveDecision;
  #settled: SettledCollective | null = null;

  constructor(options: GroupExchangeOptions) {
    const { members, policy, spec } = options;
    const workers = members.map(({ worker }) => worker);
    this.#options = options;
    this.#decision = chooseCollective(policy, workers, spec);
    this.collectives = candidatesOf(this.#decision);
    this.links = ringLinks(workers, { collectives: this.collectives, transport: policy.transport });
  }

  /** What these workers can't do of what was asked for; null: they exchange. */
  get failure(): Failure | null {
    return this.#decision.kind === "impossible" ? this.#decision.failure : null;
  }

  /** For people. */
  get reason(): string {
    return this.#decision.kind === "impossible" ? "they can't exchange" : this.#decision.reason;
  }

  /** Null until it is settled. */
  get settled(): SettledCollective | null {
    return this.#settled;
  }

  /** Settles what needs no measurement. */
  begin(): void {
    if (this.#decision.kind !== "settled") return;
    const { policy, members, spec } = this.#options;
    const { payload, mostStepsAhead } = spec.stepRules;
    const wasChosen = policy.collective === "auto" && members.length > 1;
    const { collective, reason } = this.#decision;
    // No canonical fold, whatever carries it: most gradients left out, or updates in the order in which workers are done.
    const ordered = this.#decision.ordered && payload.format !== "topk" && mostStepsAhead === null;
    this.#settle({ collective, ordered, reason: wasChosen ? reason : null, measured: null });
  }

  /** The first to say what was measured settles it. @returns a failure when the workers disagree, or null */
  measured(member: GroupMember, choice: MeasuredChoice): Failure | null {
    member.choice = choice;
    const said = this.#options.members.filter((one) => one.choice !== null);
    const text = (one: GroupMember): string => JSON.stringify(one.choice);
    if (new Set(said.map(text)).size > 1) return divergence("measured collectives", said, text);
    if (this.#settled === null) {
      const { collective } = choice;
      // Candidates are ordered: a measurement must not decide the bits.
      this.#settle({ collective, ordered: true, reason: describeChoice(choice), measured: choice });
    }
    return null;
  }

  #settle(settled: Omit<SettledCollective, "generation">): void {
    this.#settled = { generation: this.#options.generation, ...settled };
    this.#options.settled(this.#settled);
  }
}

function candidatesOf(decision: CollectiveDecision): CollectiveName[] {
  if (decision.kind === "impossible") return [];
  if (decision.kind === "measure") return [...decision.candidates];
  return [decision.collective === "local" ? "ring" : decision.collective];
}
