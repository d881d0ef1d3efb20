import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arcOf } from "../../shared/epoch-plan.js";
import { type Failure, RingstrasseError } from "../../shared/failure.js";
import type { SegmentPlace } from "../../shared/protocol/control-message.js";
import type { Collective, Exchange, ExchangeReport } from "../collective/collective.js";
import { createCollective } from "../collective/create-collective.js";
import { segmentSizeBytes } from "../collective/shared-gradients.js";
import { createSegment, openSegment, type SharedSegment } from "../collective/shared-segment.js";
import { instantiateKernels } from "../kernels/load-kernels.js";
import type { Mpi } from "../mpi/mpi.js";
import { noMpi } from "../mpi/mpi-failure.js";
import { MpiRingTransport } from "../transport/mpi-ring-transport.js";
import type { RingTransport } from "../transport/ring-transport.js";
import { ZeromqRingTransport } from "../transport/zeromq-ring-transport.js";
import type { BoundRing, RingPlan } from "./thread-messages.js";

interface RingPlaces {
  readonly folder: string | null;
  readonly mpi: Mpi | null;
}

/** One generation's ring, seen from one worker: its sockets, the memory it shares, and the collective that runs over them. */
export class RingSession implements AsyncDisposable {
  readonly #plan: RingPlan;
  readonly #transport: RingTransport;
  readonly #mpi: Mpi | null;
  readonly #abort = new AbortController();
  /** Holds the unix socket of an ipc ring. */
  readonly #folder: string | null;
  /** This worker's own first, then those it has opened. */
  readonly #segments: SharedSegment[] = [];
  #collective: Collective | null = null;

  private constructor(plan: RingPlan, transport: RingTransport, { folder, mpi }: RingPlaces) {
    this.#plan = plan;
    this.#transport = transport;
    this.#folder = folder;
    this.#mpi = mpi;
    if (plan.collective === "shm") {
      this.#segments.push(createSegment(segmentSizeBytes(plan.buffers, plan.buffers.gradients.length)));
    }
  }

  /**
   * @param mpi of this process, if it is a rank.
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE, COLLECTIVE_UNAVAILABLE
   */
  static async bind(plan: RingPlan, mpi: Mpi | null = null): Promise<RingSession> {
    if (plan.collective === "mpi") {
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
    return { endpoint: this.#transport.endpoint, segment: this.#segments[0]?.place ?? null };
  }

  /** @param segments by rank. @throws RingstrasseError ENDPOINT_UNAVAILABLE, COLLECTIVE_UNAVAILABLE */
  connect(next: string, segments: readonly (SegmentPlace | null)[]): void {
    const { membership, buffers, layoutHash, memory, kernels, collective, mpiMode } = this.#plan;
    this.#transport.connect(next);
    const own = { transport: this.#transport, mpi: this.#mpi, mpiMode };
    const places = { choice: collective, membership, buffers, memory, layoutHash, ...own };
    const shared = collective === "shm" ? this.#openAll(segments) : null;
    this.#collective = createCollective({ ...places, kernels: instantiateKernels(kernels, memory), segments: shared });
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
    for (const segment of this.#segments) segment[Symbol.dispose]();
    this.#segments.length = 0;
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  /** The bytes of all workers' segments, by rank. */
  #openAll(places: readonly (SegmentPlace | null)[]): Uint8Array[] {
    const { rank, worldSize, replicas } = this.#plan.membership;
    const [own] = this.#segments;
    return places.map((place, other) => {
      if (other === rank && own !== undefined) return own.bytes;
      const arc = arcOf(other, worldSize, replicas);
      const sizeBytes = segmentSizeBytes(this.#plan.buffers, arc.to - arc.from);
      if (place === null || place.sizeBytes !== sizeBytes) {
        const problem = `rank ${other} shares ${place?.sizeBytes ?? 0} bytes, expected ${sizeBytes}`;
        throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: "coordinator", problem });
      }
      const opened = openSegment(place);
      this.#segments.push(opened);
      return opened.bytes;
    });
  }
}
