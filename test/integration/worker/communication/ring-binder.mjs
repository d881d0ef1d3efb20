// A worker's two threads from a link to the coordinator to a bound ring, for `communication-thread.test.ts`, which plays the coordinator.
// Says on stdout whether a checkpoint is asked for, before and after the ring is bound. Argument: the coordinator's endpoint.
import { writeSync } from "node:fs";
import { argv } from "node:process";
import { blockPlan } from "../../../../dist/shared/arena-layout.js";
import { CommunicationClient } from "../../../../dist/worker/communication/communication-client.js";
import { ProgressBoard } from "../../../../dist/worker/communication/progress-board.js";
import { compileKernels } from "../../../../dist/worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../dist/worker/kernels/shared-memory.js";

const FLOATS = 64;
const SCALARS = 4;

const memory = new SharedMemory();
const arena = () => memory.allocate(FLOATS * 4);
const block = () => memory.allocate(SCALARS * 8);
const buffers = {
  blocks: blockPlan(FLOATS, 2),
  scalarCount: SCALARS,
  ...{ gradients: [arena()], scalars: [block()], sums: [arena(), arena()], scalarSums: [block(), block()] },
};
const plan = {
  jobId: "j",
  membership: { generation: 1, rank: 0, worldSize: 2, replicas: 2 },
  ...{ transport: "ipc", collectives: ["ring"], sharesMemory: { withPrevious: false, withNext: false } },
  ...{ mpiMode: "ordered", address: "127.0.0.1", linkKeys: null, async: null, window: null, buffers },
  ...{ memory: memory.memory, kernels: await compileKernels(), layoutHash: "0".repeat(64) },
};

const client = new CommunicationClient({
  ...{ coordinatorEndpoint: argv[2], coordinatorKey: null, workerId: "w", board: new ProgressBoard().memory },
  ...{ parentPipe: null, mpi: null, healthPort: null },
});
const say = (when) => writeSync(1, `${when}: ${client.snapshots.isAsked ? "asked" : "not asked"}\n`);
await client.connect();
say("connected");
// So that the other side knows this link.
client.send({ kind: "leaving", signal: "SIGTERM" });
await client.receive();
say("told");
await client.bindRing(plan);
say("bound");
await client[Symbol.asyncDispose]();
say("closed");
