import type { CollectiveName } from "../../shared/collective-choice.js";
import { type Failure, RingstrasseError } from "../../shared/failure.js";
import type { SegmentPlace } from "../../shared/protocol/control-message.js";
import type { AsyncParameters } from "../async/async-parameters.js";
import { AsyncScalars } from "../async/async-scalars.js";
import { type AsyncPlan, createAsyncParameters } from "../async/create-async-parameters.js";
import type { PushPull, PushPullReport } from "../async/push-pull.js";
import type { Collective, Exchange, ExchangeBuffers, ExchangeReport } from "../collective/collective.js";
import { createCollective } from "../collective/create-collective.js";
import { measureCollectives, probeBuffers } from "../collective/start-probe.js";
import type { Kernels } from "../kernels/kernels.js";
import { instantiateKernels } from "../kernels/load-kernels.js";
import type { Mpi } from "../mpi/mpi.js";
import type { FrameListener } from "../transport/heard-links.js";
import { MirroredRingTransport } from "../transport/mirrored-ring-transport.js";
import type { RingTransport } from "../transport/ring-transport.js";
import { RingMemory } from "./ring-memory.js";
import { SessionLinks } from "./session-links.js";
import type { BoundRing, ConnectedRing, RingPlan } from "./thread-messages.js";

/** One generation's ring, or star, seen from one worker: its sockets, the memory it shares, and the collective that runs over them. */
export class RingSession implements AsyncDisposable {
  readonly #plan: RingPlan;
  readonly #kernels: Kernels;
  readonly #links: SessionLinks;
  readonly #memory: RingMemory;
  readonly #mpi: Mpi | null;
  readonly #abort = new AbortController();
  #collective: Collective | null = null;
  #isFindable = true;
  /** Of an asynchronous job. */
  #parameters: AsyncParameters | null = null;

  private constructor(plan: RingPlan, links: SessionLinks, mpi: Mpi | null) {
    this.#plan = plan;
    this.#kernels = instantiateKernels(plan.kernels, plan.memory);
    this.#links = links;
    this.#memory = new RingMemory(plan);
    this.#mpi = mpi;
  }

  /**
   * @param mpi of this process, if it is a rank.
   * @param heard told of every frame that has come
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE, COLLECTIVE_UNAVAILABLE
   */
  static async bind(plan: RingPlan, mpi: Mpi | null, heard: FrameListener): Promise<RingSession> {
    const links = await SessionLinks.bind(plan, mpi, heard);
    try {
      return new RingSession(plan, links, mpi);
    } catch (cause) {
      await links[Symbol.asyncDispose]();
      throw cause;
    }
  }

  /** Where the others find this worker. */
  get bound(): BoundRing {
    return { endpoint: this.#links.endpoint, segment: this.#memory.place };
  }

  /**
   * Connects to the next worker, or server and clients to each other, and opens the memory of others. Where the plan names several collectives all workers measure them
   * together and take the one that proves fastest; every worker comes to the same choice.
   * @param endpoints by rank
   * @param segments by rank
   * @returns where exchanges leave their totals, and what was measured; null: the plan names one collective
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE, COLLECTIVE_UNAVAILABLE; the reason of {@link abort}
   */
  async connect(endpoints: readonly string[], segments: readonly (SegmentPlace | null)[]): Promise<ConnectedRing> {
    this.#links.connect(endpoints);
    if (this.#plan.async !== null) return this.#beginAsync(this.#plan.async);
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
    await this.#links.hide();
    for (const candidate of candidates) await candidate[Symbol.asyncDispose]();
    this.#collective = create(choice.collective, buffers);
    return { totals: this.#collective.totals, measured: choice };
  }

  async exchange(exchange: Exchange): Promise<ExchangeReport> {
    if (this.#collective === null) throw new Error("exchange before connectRing");
    const report = await this.#collective.allReduce(exchange, this.#abort.signal);
    // Whoever had to connect to this worker has sent it something.
    if (this.#isFindable) {
      this.#isFindable = false;
      await this.#links.hide();
    }
    return report;
  }

  /** Of an asynchronous job. */
  async pushPull(request: PushPull): Promise<PushPullReport> {
    if (this.#parameters === null) throw new Error("pushPull of a job that is not asynchronous");
    return await this.#parameters.pushPull(request, this.#abort.signal);
  }

  /** Ends an exchange under way; the session is of no more use. */
  abort(failure: Failure | null): void {
    this.#abort.abort(new RingstrasseError(failure ?? { code: "INTERRUPTED", signal: "the end of the job" }));
  }

  /** Call when no exchange is under way: the shared memory is no longer there afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.abort(null);
    await this.#collective?.[Symbol.asyncDispose]();
    await this.#parameters?.[Symbol.asyncDispose]();
    await this.#links[Symbol.asyncDispose]();
    this.#memory[Symbol.dispose]();
  }

  #beginAsync(plan: AsyncPlan): ConnectedRing {
    const { membership, memory, layoutHash, buffers } = this.#plan;
    const { star } = this.#links;
    const { blocks } = buffers;
    const options = { plan, membership, blocks, memory, kernels: this.#kernels, star, layoutHash };
    const parameters = createAsyncParameters(options, this.#abort.signal);
    this.#parameters = parameters;
    this.#collective = new AsyncScalars({ parameters, buffers, memory });
    return { totals: this.#collective.totals, measured: null };
  }

  /** Makes the plan's collectives over what is shared. */
  #maker(places: readonly (SegmentPlace | null)[]): (name: CollectiveName, buffers: ExchangeBuffers) => Collective {
    const { membership, memory, layoutHash, collectives, mpiMode } = this.#plan;
    const { ring, star } = this.#links;
    const window = this.#memory.mapWindow(places);
    const mirrored = ring !== null && collectives.includes("hierarchical") ? this.#mirrored(ring, places) : null;
    const general = { membership, memory, layoutHash, kernels: this.#kernels, window, star, mpi: this.#mpi, mpiMode };
    return (choice, buffers) => {
      const transport = choice === "hierarchical" ? mirrored : ring;
      return createCollective({ ...general, choice, buffers, transport });
    };
  }

  #mirrored(link: RingTransport, places: readonly (SegmentPlace | null)[]): MirroredRingTransport {
    const { outgoing: bytes, mirror } = this.#memory;
    const outgoing = this.#plan.sharesMemory.withNext && bytes !== null ? { plan: mirror, bytes } : null;
    return new MirroredRingTransport({ link, outgoing, incoming: this.#memory.openIncoming(places) });
  }
}
