import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CollectiveName } from "../../shared/collective-choice.js";
import { type Failure, RingstrasseError } from "../../shared/failure.js";
import type { SegmentPlace } from "../../shared/protocol/control-message.js";
import type { Collective, Exchange, ExchangeBuffers, ExchangeReport } from "../collective/collective.js";
import { createCollective } from "../collective/create-collective.js";
import { measureCollectives, probeBuffers } from "../collective/start-probe.js";
import type { Kernels } from "../kernels/kernels.js";
import { instantiateKernels } from "../kernels/load-kernels.js";
import type { Mpi } from "../mpi/mpi.js";
import { noMpi } from "../mpi/mpi-failure.js";
import { MirroredRingTransport } from "../transport/mirrored-ring-transport.js";
import { MpiRingTransport } from "../transport/mpi-ring-transport.js";
import type { RingTransport } from "../transport/ring-transport.js";
import { ZeromqRingTransport } from "../transport/zeromq-ring-transport.js";
import { RingMemory } from "./ring-memory.js";
import type { BoundRing, ConnectedRing, RingPlan } from "./thread-messages.js";

interface RingPlaces {
  readonly folder: string | null;
  readonly mpi: Mpi | null;
}

/** One generation's ring, seen from one worker: its sockets, the memory it shares, and the collective that runs over them. */
export class RingSession implements AsyncDisposable {
  readonly #plan: RingPlan;
  readonly #kernels: Kernels;
  readonly #transport: RingTransport;
  readonly #memory: RingMemory;
  readonly #mpi: Mpi | null;
  readonly #abort = new AbortController();
  /** Holds the unix socket of an ipc ring. */
  readonly #folder: string | null;
  #collective: Collective | null = null;

  private constructor(plan: RingPlan, transport: RingTransport, { folder, mpi }: RingPlaces) {
    this.#plan = plan;
    this.#kernels = instantiateKernels(plan.kernels, plan.memory);
    this.#transport = transport;
    this.#folder = folder;
    this.#memory = new RingMemory(plan);
    this.#mpi = mpi;
  }

  /**
   * @param mpi of this process, if it is a rank.
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE, COLLECTIVE_UNAVAILABLE
   */
  static async bind(plan: RingPlan, mpi: Mpi | null = null): Promise<RingSession> {
    if (plan.collectives.includes("mpi")) {
      if (mpi === null) throw noMpi();
      const { generation } = plan.membership;
      return new RingSession(plan, new MpiRingTransport({ mpi, generation }), { folder: null, mpi });
    }
    const folder = plan.transport === "ipc" ? await mkdtemp(join(tmpdir(), "ringstrasse-")) : null;
    const endpoint = folder === null ? `tcp://${plan.address}:0` : `ipc://${join(folder, "ring")}`;
    const transport = await ZeromqRingTransport.bind(endpoint);
    try {
      return new RingSession(plan, transport, { folder, mpi: null });
    } catch (cause) {
      await transport[Symbol.asyncDispose]();
      if (folder !== null) await rm(folder, { recursive: true, force: true });
      throw cause;
    }
  }

  /** Where the others find this worker. */
  get bound(): BoundRing {
    return { endpoint: this.#transport.endpoint, segment: this.#memory.place };
  }

  /**
   * Connects to the next worker and opens the memory of others. Where the plan names several collectives all workers measure them
   * together and take the one that proves fastest; every worker comes to the same choice.
   * @param segments by rank
   * @returns where exchanges leave their totals, and what was measured; null: the plan names one collective
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE, COLLECTIVE_UNAVAILABLE; the reason of {@link abort}
   */
  async connect(next: string, segments: readonly (SegmentPlace | null)[]): Promise<ConnectedRing> {
    this.#transport.connect(next);
    const { collectives, buffers, memory } = this.#plan;
    const create = this.#maker(segments);
    const [only, ...others] = collectives;
    if (only === undefined) throw new RangeError("a ring needs a collective");
    if (others.length === 0) {
      this.#collective = create(only, buffers);
      return { totals: this.#collective.totals, measured: null };
    }
    const probed = probeBuffers(buffers);
    const candidates = collectives.map((name) => create(name, probed));
    const choice = await measureCollectives({ candidates, buffers, probed, memory }, this.#abort.signal);
    for (const candidate of candidates) await candidate[Symbol.asyncDispose]();
    this.#collective = create(choice.collective, buffers);
    return { totals: this.#collective.totals, measured: choice };
  }

  async exchange(exchange: Exchange): Promise<ExchangeReport> {
    if (this.#collective === null) throw new Error("exchange before connectRing");
    return await this.#collective.allReduce(exchange, this.#abort.signal);
  }

  /** Ends an exchange under way; the session is of no more use. */
  abort(failure: Failure | null): void {
    this.#abort.abort(new RingstrasseError(failure ?? { code: "INTERRUPTED", signal: "the end of the job" }));
  }

  /** Call when no exchange is under way: the shared memory is no longer there afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.abort(null);
    await this.#collective?.[Symbol.asyncDispose]();
    await this.#transport[Symbol.asyncDispose]();
    this.#memory[Symbol.dispose]();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  /** Makes the plan's collectives over what is shared. */
  #maker(places: readonly (SegmentPlace | null)[]): (name: CollectiveName, buffers: ExchangeBuffers) => Collective {
    const { membership, memory, layoutHash, collectives, mpiMode } = this.#plan;
    const window = this.#memory.mapWindow(places);
    const mirrored = collectives.includes("hierarchical") ? this.#mirrored(places) : null;
    const general = { membership, memory, layoutHash, kernels: this.#kernels, window, mpi: this.#mpi, mpiMode };
    return (choice, buffers) => {
      const transport = choice === "hierarchical" ? mirrored : this.#transport;
      return createCollective({ ...general, choice, buffers, transport });
    };
  }

  #mirrored(places: readonly (SegmentPlace | null)[]): MirroredRingTransport {
    const { outgoing: bytes, mirror } = this.#memory;
    const outgoing = this.#plan.sharesMemory.withNext && bytes !== null ? { plan: mirror, bytes } : null;
    return new MirroredRingTransport({ link: this.#transport, outgoing, incoming: this.#memory.openIncoming(places) });
  }
}
