import { layoutHash } from "../../shared/arena-layout.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { FromCoordinator } from "../../shared/protocol/control-message.js";
import type { Collective } from "../collective/collective.js";
import { createLocalCollective } from "../collective/create-collective.js";
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
}

/**
 * Makes this worker part of its generation's exchange: it says where it is found, waits until all have done so, and connects. Where the
 * assignment names several collectives they are measured here, and the coordinator hears which one proved fastest.
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE, ENDPOINT_UNAVAILABLE, PROTOCOL_VIOLATION; the failure that ended the job meanwhile
 */
export async function formCollective(assignment: Assignment, resources: CollectiveResources): Promise<Collective> {
  const { spec, rank, worldSize, generation, jobId, collectives, mpiMode } = assignment;
  const { communication, board, memory, arenas, kernels, address } = resources;
  const group = { jobId, generation, layoutHash: layoutHash(arenas.layout, arenas.blocks) };
  const membership = { generation, rank, worldSize, replicas: spec.replicas };
  const { exchange: buffers, window } = arenas;
  if (worldSize === 1) {
    communication.send({ kind: "ready", ...group, ringEndpoint: null, segment: null });
    board.advance("idle");
    await receiveStart(communication, generation);
    board.advance("prepare");
    return createLocalCollective({ membership, buffers, memory: memory.memory, kernels: kernels.instance });
  }
  const { transport, sharesMemory } = assignment;
  const plan = { ...group, membership, transport, collectives, sharesMemory, mpiMode, address, buffers, window };
  const ring = await communication.bindRing({ ...plan, memory: memory.memory, kernels: kernels.module });
  communication.send({ kind: "ready", ...group, ringEndpoint: ring.endpoint, segment: ring.segment });
  board.advance("idle");
  const start = await receiveStart(communication, generation);

  // Collectives may be measured here: all wait for each other.
  board.advance("exchange");
  const wanted = { collectives, ordered: mpiMode === "ordered" || !collectives.includes("mpi") };
  const next = nextEndpoint(start, rank, worldSize);
  const { collective, measured } = await communication.connectRing(wanted, next, start.segments);
  if (measured !== null) communication.send({ kind: "collective", jobId, generation, choice: measured });
  board.advance("prepare");
  return collective;
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

function nextEndpoint(start: Start, rank: number, worldSize: number): string {
  const endpoint = start.ringEndpoints[(rank + 1) % worldSize];
  if (endpoint === undefined || endpoint === null) {
    const problem = `start names no ring endpoint for rank ${(rank + 1) % worldSize}`;
    throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: "coordinator", problem });
  }
  return endpoint;
}
