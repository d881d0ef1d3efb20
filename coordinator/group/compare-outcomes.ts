import type { Failure } from "../../shared/failure.js";
import type { FromWorker } from "../../shared/protocol/control-message.js";
import { divergence } from "./group-failures.js";
import type { GroupMember } from "./group-member.js";

type Outcome = Extract<FromWorker, { kind: "finished" }>;

export type OutcomeComparison =
  /** Some workers have not finished. */
  | { readonly kind: "open" }
  | { readonly kind: "alike"; readonly outcome: Outcome }
  | { readonly kind: "different"; readonly failure: Failure };

/** Whether all workers have ended with the same bits, as they must. `workers` by rank. */
export function compareOutcomes(workers: readonly GroupMember[]): OutcomeComparison {
  const outcomes = workers.map((worker) => worker.finished).filter((outcome) => outcome !== null);
  const [first] = outcomes;
  if (first === undefined || outcomes.length < workers.length) return { kind: "open" };
  for (const what of ["weightsSha256", "stateSha256", "steps"] as const) {
    if (outcomes.every((other) => other[what] === first[what])) continue;
    return { kind: "different", failure: divergence(what, workers, (worker) => String(worker.finished?.[what])) };
  }
  return { kind: "alike", outcome: first };
}
