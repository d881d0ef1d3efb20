import { type ArenaLayout, blockPlan, layoutOf } from "../../shared/arena-layout.js";
import { arcOf } from "../../shared/epoch-plan.js";
import type { Payload } from "../../shared/step-rules.js";
import { SERVER_RANK } from "../collective/parameter-server-collective.js";
import type { Assignment } from "../communication/generation-link.js";
import type { SharedMemory } from "../kernels/shared-memory.js";
import { type ArenaDemand, type Arenas, allocateArenas } from "./arenas.js";
import { roundDemand } from "./create-rounds.js";
import { VOTES } from "./replica-states.js";
import { SCALARS } from "./step-scalars.js";

/**
 * The arenas of this worker's part in a job.
 * @param stateArenas of the optimizer of the committed parameters
 * @throws RingstrasseError ENGINE_UNAVAILABLE when they don't fit
 */
export function allocateJobArenas(memory: SharedMemory, assignment: Assignment, stateArenas: number): Arenas {
  const { spec, rank, worldSize, collectives } = assignment;
  const { accumulate, payload, mostStepsAhead } = spec.stepRules;
  const arc = arcOf(rank, worldSize, spec.replicas);
  const layout = layoutOf(spec.model);
  const sharesGradients = worldSize > 1 && collectives.includes("shm");
  const isServer = rank === SERVER_RANK;
  const isAsync = mostStepsAhead !== null;
  return allocateArenas(memory, {
    layout,
    blocks: blockPlan(layout.paddedLength, spec.replicas),
    localReplicas: arc.to - arc.from,
    stateArenas,
    isOnlyReplica: spec.replicas === 1,
    ...(sharesGradients ? { shared: { replicas: spec.replicas, first: arc.from } } : {}),
    accumulates: accumulate > 1,
    ...payloadDemand(payload, layout),
    receivesGradients: isServer && (isAsync || (worldSize > 1 && collectives.includes("parameter-server"))),
    keepsParameters: isServer && isAsync,
    ...roundDemand(spec),
  });
}

/** What travels, and what it needs. Pure. */
function payloadDemand(
  payload: Payload,
  { parameterCount }: ArenaLayout,
): Pick<ArenaDemand, "format" | "topk" | "scalarCount"> {
  if (payload.format !== "topk") return { format: payload.format };
  return { topk: Math.ceil(payload.fraction * parameterCount), scalarCount: SCALARS + VOTES };
}
