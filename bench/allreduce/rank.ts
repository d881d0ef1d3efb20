/** One rank of `bench/allreduce.ts`, a process of its own: the product's ring session on the numbers that its parent asks for. */
import { once } from "node:events";
import process from "node:process";
import { blockPlan } from "../../shared/arena-layout.js";
import type { ExchangeBuffers } from "../../worker/collective/collective.js";
import { RingSession } from "../../worker/communication/ring-session.js";
import type { RingPlan } from "../../worker/communication/thread-messages.js";
import { compileKernels } from "../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../worker/kernels/shared-memory.js";
import type { FromRank, RankStart, SizePlan, ToRank } from "./rank-messages.js";

const FLOAT_BYTES = 4;
const ALIGNMENT_FLOATS = 16;
/** All ranks hold the same cut: there is no model to name. */
const LAYOUT_HASH = "0".repeat(64);
/** Values whose sums over ranks are exact in float32, so that every order gives the same. */
const PERIOD = 1021;

const start = JSON.parse(process.argv[2] ?? "") as RankStart;
// The parent has gone: nobody asks for figures any more.
const orphaned = (): void => process.exit(1);
process.once("disconnect", orphaned);
const kernels = await compileKernels();
for (const size of start.sizes) await measure(size);
process.off("disconnect", orphaned);
process.disconnect();

async function measure(size: SizePlan): Promise<void> {
  const memory = new SharedMemory();
  const buffers = allocate(memory, size.count);
  const session = await RingSession.bind(planOf(memory, buffers));
  try {
    const { endpoint, segment } = session.bound;
    say({ kind: "bound", endpoint, segment });
    const message = await hear();
    if (message.kind !== "connect") throw new Error(`unexpected ${message.kind}`);
    await session.connect(message.next, message.segments);
    say({ kind: "measured", ...(await timed(session, memory, buffers, size)) });
    await hear();
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

async function timed(session: RingSession, memory: SharedMemory, buffers: ExchangeBuffers, size: SizePlan) {
  const [own = 0] = buffers.gradients;
  const values = memory.float32(own, size.count);
  for (let index = 0; index < size.count; index++) values[index] = contribution(start.rank, index);
  let sequence = 0;
  for (; sequence < size.warmUps; sequence++) await session.exchange({ sequence, withArena: true });
  const began = performance.now();
  const last = sequence + size.repetitions;
  for (; sequence < last; sequence++) await session.exchange({ sequence, withArena: true });
  const microseconds = ((performance.now() - began) * 1000) / size.repetitions;
  const sums = memory.float32(buffers.sums[(last - 1) % 2 === 0 ? 0 : 1], size.count);
  let wrong = 0;
  for (let index = 0; index < size.count; index++) if (sums[index] !== expected(index)) wrong++;
  return { microseconds, wrong };
}

function contribution(rank: number, index: number): number {
  return ((index * 7 + rank * 13) % PERIOD) - 500;
}

function expected(index: number): number {
  let sum = 0;
  for (let rank = 0; rank < start.ranks; rank++) sum += contribution(rank, index);
  return sum;
}

function allocate(memory: SharedMemory, count: number): ExchangeBuffers {
  const paddedLength = Math.ceil(count / ALIGNMENT_FLOATS) * ALIGNMENT_FLOATS;
  const blocks = blockPlan(paddedLength, start.ranks);
  const arena = () => memory.allocate(paddedLength * FLOAT_BYTES);
  const scalars = () => memory.allocate(8);
  return {
    blocks,
    scalarCount: 1,
    gradients: [arena()],
    scalars: [scalars()],
    sums: [arena(), arena()],
    scalarSums: [scalars(), scalars()],
    scratch: memory.allocate(blocks.blockLength * FLOAT_BYTES),
  };
}

function planOf(memory: SharedMemory, buffers: ExchangeBuffers): RingPlan {
  const { rank, ranks, transport, collective } = start;
  return {
    jobId: "bench",
    membership: { generation: 1, rank, worldSize: ranks, replicas: ranks },
    transport,
    collectives: [collective],
    sharesMemory: { withPrevious: true, withNext: true },
    mpiMode: "ordered",
    address: "127.0.0.1",
    memory: memory.memory,
    kernels,
    buffers,
    layoutHash: LAYOUT_HASH,
  };
}

function say(message: FromRank): void {
  process.send?.(message);
}

async function hear(): Promise<ToRank> {
  const [message] = (await once(process, "message")) as [ToRank];
  return message;
}
