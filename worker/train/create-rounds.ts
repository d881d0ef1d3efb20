import type { Span } from "../../shared/epoch-plan.js";
import type { JobSpec } from "../../shared/job-spec.js";
import type { Kernels } from "../kernels/kernels.js";
import { createOptimizer } from "../optimizer/create-optimizer.js";
import { type Arenas, fillTensors } from "./arenas.js";
import { LocalRounds } from "./local-rounds.js";
import { ReplicaCopy } from "./replica-copy.js";
import { updatesOfReplica } from "./updates-of-replica.js";

export interface RoundParts {
  readonly spec: JobSpec;
  readonly arenas: Arenas;
  readonly kernels: Kernels;
  /** This worker's replicas. */
  readonly arc: Span;
  /** Steps that the job has done before. */
  readonly steps: number;
}

/** The rounds of a job, each replica's optimizer in its initial state; null: its replicas exchange in every step. */
export function createRounds({ spec, arenas, kernels, arc, steps }: RoundParts): LocalRounds | null {
  const { rounds } = spec.stepRules;
  if (rounds === null) return null;
  const copies = arenas.copies.map((own, index) => {
    const replica = arc.from + index;
    const optimizer = createOptimizer(spec.optimizer, kernels);
    for (const [at, state] of own.state.entries()) fillTensors(arenas.layout, state, optimizer.initialState[at] ?? 0);
    return new ReplicaCopy({ replica, index }, own, optimizer, updatesOfReplica(spec, replica, steps));
  });
  return new LocalRounds(rounds, copies);
}
