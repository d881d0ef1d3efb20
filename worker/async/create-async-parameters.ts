import type { BlockPlan } from "../../shared/arena-layout.js";
import type { OptimizerSpec } from "../../shared/model-spec.js";
import type { AddressableMemory } from "../collective/block-folder.js";
import type { Membership } from "../collective/collective.js";
import { layoutTag } from "../collective/frame-header.js";
import { SERVER_RANK } from "../collective/parameter-server-collective.js";
import type { Kernels } from "../kernels/kernels.js";
import { createOptimizer } from "../optimizer/create-optimizer.js";
import type { StarTransport } from "../transport/star-transport.js";
import { AsyncClient } from "./async-client.js";
import { AsyncFrames } from "./async-frames.js";
import type { AsyncParameters } from "./async-parameters.js";
import { AsyncServer } from "./async-server.js";
import { ParameterStore, type StorePlaces } from "./parameter-store.js";
import { StalenessGate } from "./staleness-gate.js";

/** What of a job's plan makes it asynchronous. */
export interface AsyncPlan {
  readonly optimizer: OptimizerSpec;
  /** S */
  readonly mostStepsAhead: number;
  /** On the worker that has the parameters; null on the others. */
  readonly store: (StorePlaces & { readonly updates: number }) | null;
}

export interface AsyncOptions {
  readonly plan: AsyncPlan;
  readonly membership: Membership;
  readonly blocks: BlockPlan;
  /** What all addresses and the kernels refer to. */
  readonly memory: AddressableMemory;
  readonly kernels: Kernels;
  /** Connected; stays the caller's. Null: there is one worker. */
  readonly star: StarTransport | null;
  readonly layoutHash: string;
}

/**
 * A worker's way to the parameters of an asynchronous job. The one that has them serves the others until `signal` aborts.
 * @throws RangeError for a plan that has no store where the parameters should be, or no links to where they are
 */
export function createAsyncParameters(options: AsyncOptions, signal: AbortSignal): AsyncParameters {
  const { plan, membership, blocks, memory, kernels, star, layoutHash } = options;
  const { rank, worldSize } = membership;
  if (star === null && worldSize > 1) throw new RangeError(`${worldSize} workers without links`);
  const layout = layoutTag(layoutHash);
  const frames = star === null ? null : new AsyncFrames({ membership, transport: star, layout });
  if (rank !== SERVER_RANK && frames !== null) return new AsyncClient({ frames, blocks, memory, server: SERVER_RANK });
  if (plan.store === null) throw new RangeError(`rank ${rank} has no room for the parameters`);
  const { updates, ...places } = plan.store;
  const optimizer = createOptimizer(plan.optimizer, kernels);
  const store = new ParameterStore({ places, blocks, memory, optimizer, updates });
  const gate = new StalenessGate(worldSize, plan.mostStepsAhead);
  const server = new AsyncServer({ rank, worldSize, store, gate, memory, frames });
  void server.serve(signal);
  return server;
}
