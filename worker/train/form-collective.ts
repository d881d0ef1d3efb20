import { layoutHash } from "../../shared/arena-layout.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { FromCoordinator } from "../../shared/protocol/control-message.js";
import type { LinkKeys } from "../../shared/transport/link-keys.js";
import { AsyncScalars } from "../async/async-scalars.js";
import { updatesBefore } from "../async/count-updates.js";
import { type AsyncPlan, createAsyncParameters } from "../async/create-async-parameters.js";
import type { PushPull, PushPullReport } from "../async/push-pull.js";
import type { Collective, Membership } from "../collective/collective.js";
import { createCollective, createLocalCollective } from "../collective/create-collective.js";
import { windowPlaces } from "../collective/exchange-window.js";
import type { CommunicationClient } from "../communication/communication-client.js";
import type { Assignment } from "../communication/generation-link.js";
import type { ProgressBoard } from "../communication/progress-board.js";
import type { Kernels } from "../kernels/kernels.js";
import type { SharedMemory } from "../kernels/shared-memory.js";
import type { Arenas } from "./arenas.js";

export interface CollectiveResources {
  readonly communication: CommunicationClient;
  readonly board: ProgressBoard;
  /** Holds the arenas. */
  readonly memory: SharedMemory;
  readonly arenas: Arenas;
  /** Over the same memory; the module for the communication thread's own instance. */
  readonly kernels: { readonly module: WebAssembly.Module; readonly instance: Kernels };
  /** This host's address for tcp rings. */
  readonly address: string;
  /** What links over tcp are encrypted with, where the assignment wants it. */
  readonly linkKeys: () => LinkKeys;
  /** Aborts when the generation is over. */
  readonly signal: AbortSignal;
}

/** How this worker exchanges with the others. */
export interface FormedExchange {
  readonly collective: Collective;
  /** Null: the job is not asynchronous. */
  readonly pushPull: ((request: PushPull) => Promise<PushPullReport>) | null;
}

/**
 * Makes this worker part of its generation's exchange: it says where it is found, waits until all have done so, and connects. Where the
 * assignment names several collectives they are measured here, and the coordinator hears which one proved fastest.
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE, ENDPOINT_UNAVAILABLE, PROTOCOL_VIOLATION; the failure that ended the job meanwhile
 */
export async function formCollective(assignment: Assignment, resources: CollectiveResources): Promise<FormedExchange> {
  const { spec, rank, worldSize, generation, jobId, collectives, mpiMode } = assignment;
  const { communication, board, memory, arenas, kernels } = resources;
  const group = { jobId, generation, layoutHash: layoutHash(arenas.layout, arenas.blocks) };
  const asyncPlan = asyncPlanOf(assignment, arenas);
  const membership = { generation, rank, worldSize, replicas: spec.replicas };
  const { exchange: buffers, window } = arenas;
  if (worldSize === 1) {
    communication.send({ kind: "ready", ...group, ringEndpoint: null, segment: null });
    board.advance("idle");
    await receiveStart(communication, generation);
    board.advance("prepare");
    return formAlone(membership, resources, asyncPlan, group.layoutHash);
  }
  const { transport, sharesMemory } = assignment;
  const links = { address: resources.address, linkKeys: assignment.encrypt ? resources.linkKeys() : null };
  const asked = { ...group, ...links, membership, transport, collectives, sharesMemory, mpiMode, buffers, window };
  const plan = { ...asked, async: asyncPlan, memory: memory.memory, kernels: kernels.module };
  const ring = await communication.bindRing(plan);
  communication.send({ kind: "ready", ...group, ringEndpoint: ring.endpoint, segment: ring.segment });
  board.advance("idle");
  const start = await receiveStart(communication, generation);

  // Collectives may be measured here: all wait for each other.
  board.advance("exchange");
  const isSparse = spec.stepRules.payload.format === "topk";
  const isCanonical = !isSparse && (mpiMode === "ordered" || !collectives.includes("mpi"));
  const wanted = { collectives, ordered: isCanonical && asyncPlan === null };
  const endpoints = endpointsOf(start, worldSize);
  const formed = await communication.connectRing(wanted, endpoints, start.segments);
  const { measured, pushPull } = formed;
  const collective =
    formed.collective.name === "shm" ? formHere(membership, resources, group.layoutHash) : formed.collective;
  if (measured !== null) communication.send({ kind: "collective", jobId, generation, choice: measured });
  board.advance("prepare");
  return { collective, pushPull: asyncPlan === null ? null : pushPull };
}

/**
 * Shared memory needs no sockets, so that the main thread exchanges by itself, in the window that the communication thread has mapped, instead of
 * waking that thread and being woken by it.
 */
function formHere(
  membership: Membership,
  { arenas, memory, kernels }: CollectiveResources,
  layout: string,
): Collective {
  if (arenas.window === null) throw new RangeError("shared memory needs a window");
  const { exchange: buffers } = arenas;
  const window = windowPlaces({ ...buffers, replicas: membership.replicas }, arenas.window);
  const common = { membership, buffers, memory: memory.memory, kernels: kernels.instance, layoutHash: layout };
  return createCollective({ ...common, choice: "shm", transport: null, window });
}

/** A group of one exchanges in the main thread. */
function formAlone(
  membership: Membership,
  { arenas, memory, kernels, signal }: CollectiveResources,
  plan: AsyncPlan | null,
  layout: string,
): FormedExchange {
  const { exchange: buffers, blocks } = arenas;
  const common = { membership, memory: memory.memory, kernels: kernels.instance };
  if (plan === null) return { collective: createLocalCollective({ ...common, buffers }), pushPull: null };
  const parameters = createAsyncParameters({ ...common, plan, blocks, star: null, layoutHash: layout }, signal);
  const collective = new AsyncScalars({ parameters, buffers, memory: memory.memory });
  return { collective, pushPull: (request) => parameters.pushPull(request, signal) };
}

/** Null: the job's workers do each step together. */
function asyncPlanOf({ spec, resume, worldSize }: Assignment, { store, exchange }: Arenas): AsyncPlan | null {
  const { mostStepsAhead } = spec.stepRules;
  if (mostStepsAhead === null) return null;
  const plan = { optimizer: spec.optimizer, mostStepsAhead };
  if (store === null || exchange.inbox === undefined) return { ...plan, store: null };
  const { inbox } = exchange;
  const places = { parameters: store.parameters.address, state: store.state.map(({ address }) => address), inbox };
  return { ...plan, store: { ...places, updates: resume === null ? 0 : updatesBefore(resume.position, worldSize) } };
}

type Start = Extract<FromCoordinator, { kind: "start" }>;

async function receiveStart(communication: CommunicationClient, generation: number): Promise<Start> {
  const message = await communication.receive();
  if (message.kind === "start" && message.generation === generation) return message;
  if ((message.kind === "stop" || message.kind === "refused") && message.failure !== null) {
    throw new RingstrasseError(message.failure);
  }
  const problem = `it sent ${message.kind} where start of generation ${generation} belongs`;
  throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: "coordinator", problem });
}

/** By rank. */
function endpointsOf({ ringEndpoints }: Start, worldSize: number): string[] {
  return Array.from({ length: worldSize }, (_, rank) => {
    const endpoint = ringEndpoints[rank];
    if (endpoint != null) return endpoint;
    const problem = `start names no ring endpoint for rank ${rank}`;
    throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: "coordinator", problem });
  });
}
