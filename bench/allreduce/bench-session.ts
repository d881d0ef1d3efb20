import { blockPlan } from "../../shared/arena-layout.js";
import type { CollectiveName, MpiMode } from "../../shared/collective-choice.js";
import type { SegmentPlace } from "../../shared/protocol/control-message.js";
import type { PayloadFormat } from "../../shared/step-rules.js";
import { linkKeysOf } from "../../shared/transport/link-keys.js";
import { WINDOW_ALIGNMENT, windowBytes } from "../../shared/window-layout.js";
import type { ExchangeBuffers, TotalPlaces } from "../../worker/collective/collective.js";
import { windowPlaces } from "../../worker/collective/exchange-window.js";
import { SERVER_RANK } from "../../worker/collective/parameter-server-collective.js";
import { RingSession } from "../../worker/communication/ring-session.js";
import type { RingPlan } from "../../worker/communication/thread-messages.js";
import type { Address } from "../../worker/kernels/kernels.js";
import { compileKernels } from "../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../worker/kernels/shared-memory.js";
import type { Mpi } from "../../worker/mpi/mpi.js";
import type { SizePlan } from "./rank-messages.js";

const FLOAT_BYTES = 4;
const HALF_BYTES = 2;
const ALIGNMENT_FLOATS = 16;
/** All ranks hold the same cut: there is no model to name. */
const LAYOUT_HASH = "0".repeat(64);
/** Of all ranks: nobody else is kept out by it. */
const TOKEN = "the benchmark's";
/** Whole numbers from −LARGEST to LARGEST, whose sums over ranks are exact, so that every order gives the same: in float32 … */
const LARGEST = 510;
/** … and, of up to four ranks, in the 8 significant bits of bf16. */
const LARGEST_IN_16_BITS = 63;
const MOST_RANKS_IN_16_BITS = 4;

/** Which of the product's collectives is measured, and this rank's place. */
export interface BenchPlace {
  readonly rank: number;
  readonly ranks: number;
  readonly collective: CollectiveName;
  readonly transport: "ipc" | "tcp";
  readonly mpiMode: MpiMode;
  /** Of sums on their way. */
  readonly format: Exclude<PayloadFormat, "topk">;
  /** Where a ring over tcp listens. */
  readonly address: string;
  /** Links over tcp are encrypted. */
  readonly encrypt: boolean;
  /** Of this process, if it is a rank. */
  readonly mpi: Mpi | null;
}

/** The product's own ring session on numbers of which everybody knows the sum. One replica a rank. */
export class BenchSession implements AsyncDisposable {
  readonly session: RingSession;
  readonly #place: BenchPlace;
  readonly #size: SizePlan;
  readonly #memory: SharedMemory;
  readonly #buffers: ExchangeBuffers;
  #totals: TotalPlaces;

  private constructor(
    session: RingSession,
    of: { place: BenchPlace; size: SizePlan; memory: SharedMemory; buffers: ExchangeBuffers },
  ) {
    this.session = session;
    this.#place = of.place;
    this.#size = of.size;
    this.#memory = of.memory;
    this.#buffers = of.buffers;
    this.#totals = of.buffers;
  }

  /** @param generation another one for every session of a process. @throws RingstrasseError as `RingSession.bind` */
  static async bind(place: BenchPlace, size: SizePlan, generation: number): Promise<BenchSession> {
    const memory = new SharedMemory();
    const { buffers, window } = allocate(memory, size.count, place);
    const plan = planOf(place, generation, { memory, buffers, window, kernels: await compileKernels() });
    const session = await RingSession.bind(plan, place.mpi, () => undefined);
    return new BenchSession(session, { place, size, memory, buffers });
  }

  /** Before the first measurement. @throws RingstrasseError as `RingSession.connect` */
  async connect(endpoints: readonly string[], segments: readonly (SegmentPlace | null)[]): Promise<void> {
    this.#totals = (await this.session.connect(endpoints, segments)).totals;
  }

  /** Mean of the repetitions on this rank; and elements that differ from the sum that they should hold. */
  async measure(): Promise<{ readonly microseconds: number; readonly wrong: number }> {
    const { count, warmUps, repetitions } = this.#size;
    const { rank } = this.#place;
    const [own = 0] = this.#buffers.gradients;
    const values = this.#memory.float32(own, count);
    const largest = largestOf(this.#place);
    for (let index = 0; index < count; index++) values[index] = contribution(rank, index, largest);
    let sequence = 0;
    for (; sequence < warmUps; sequence++) await this.session.exchange({ sequence, withArena: true });
    const began = performance.now();
    const last = sequence + repetitions;
    for (; sequence < last; sequence++) await this.session.exchange({ sequence, withArena: true });
    const microseconds = ((performance.now() - began) * 1000) / repetitions;
    return { microseconds, wrong: this.#wrongAfter(last - 1) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
  }

  #wrongAfter(sequence: number): number {
    const { count } = this.#size;
    const sums = this.#memory.float32(this.#totals.sums[sequence % 2 === 0 ? 0 : 1], count);
    const { ranks } = this.#place;
    const largest = largestOf(this.#place);
    let wrong = 0;
    for (let index = 0; index < count; index++) {
      let expected = 0;
      for (let rank = 0; rank < ranks; rank++) expected += contribution(rank, index, largest);
      if (sums[index] !== expected) wrong++;
    }
    return wrong;
  }
}

function contribution(rank: number, index: number, largest: number): number {
  return ((index * 7 + rank * 13) % (2 * largest + 1)) - largest;
}

function largestOf({ format, ranks }: BenchPlace): number {
  if (format === "none") return LARGEST;
  if (ranks > MOST_RANKS_IN_16_BITS) throw new RangeError(`sums of ${ranks} ranks are not exact in ${format}`);
  return LARGEST_IN_16_BITS;
}

function allocate(
  memory: SharedMemory,
  count: number,
  { rank, ranks, collective, format }: BenchPlace,
): { readonly buffers: ExchangeBuffers; readonly window: Address | null } {
  const paddedLength = Math.ceil(count / ALIGNMENT_FLOATS) * ALIGNMENT_FLOATS;
  const blocks = blockPlan(paddedLength, ranks);
  const arena = () => memory.allocate(paddedLength * FLOAT_BYTES);
  const scalars = () => memory.allocate(8);
  const half = () => memory.allocate(paddedLength * HALF_BYTES);
  const packed = format === "none" ? {} : { packed: { format, length: paddedLength, sums: [half(), half()] } as const };
  const sums = { sums: [arena(), arena()], scalarSums: [scalars(), scalars()], ...packed } as const;
  if (collective !== "shm") {
    const buffers = { blocks, scalarCount: 1, gradients: [arena()], scalars: [scalars()], ...sums };
    const isServer = collective === "parameter-server" && rank === SERVER_RANK;
    const inbox = isServer ? { inbox: memory.allocate(blocks.blockLength * FLOAT_BYTES) } : {};
    return { buffers: { ...buffers, ...inbox }, window: null };
  }
  const sizes = { blocks, scalarCount: 1, replicas: ranks };
  const window = windowPlaces(sizes, memory.allocate(windowBytes(sizes), WINDOW_ALIGNMENT));
  const [gradients, scalarBlocks] = [window.gradients, window.scalars].map((all) => all.slice(rank, rank + 1));
  const local = { gradients: gradients ?? [], scalars: scalarBlocks ?? [] };
  return { buffers: { blocks, scalarCount: 1, ...local, ...sums }, window: window.address };
}

function planOf(
  { rank, ranks, transport, collective, mpiMode, address, encrypt }: BenchPlace,
  generation: number,
  {
    memory,
    buffers,
    window,
    kernels,
  }: { memory: SharedMemory; buffers: ExchangeBuffers; window: Address | null; kernels: WebAssembly.Module },
): RingPlan {
  return {
    jobId: "bench",
    membership: { generation, rank, worldSize: ranks, replicas: ranks },
    transport,
    collectives: [collective],
    sharesMemory: { withPrevious: true, withNext: true },
    mpiMode,
    address,
    linkKeys: encrypt ? linkKeysOf(TOKEN, "gradients") : null,
    memory: memory.memory,
    kernels,
    buffers,
    window,
    layoutHash: LAYOUT_HASH,
    async: null,
  };
}
