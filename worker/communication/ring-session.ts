import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Failure, RingstrasseError } from "../../shared/failure.js";
import type { Collective, Exchange, ExchangeReport } from "../collective/collective.js";
import { createCollective } from "../collective/create-collective.js";
import { instantiateKernels } from "../kernels/load-kernels.js";
import { ZeromqRingTransport } from "../transport/zeromq-ring-transport.js";
import type { RingPlan } from "./thread-messages.js";

/** One generation's ring, seen from one worker: its sockets and the collective that runs over them. */
export class RingSession implements AsyncDisposable {
  readonly #transport: ZeromqRingTransport;
  readonly #collective: Collective;
  readonly #abort = new AbortController();
  /** Holds the unix socket of an ipc ring. */
  readonly #folder: string | null;

  private constructor(transport: ZeromqRingTransport, collective: Collective, folder: string | null) {
    this.#transport = transport;
    this.#collective = collective;
    this.#folder = folder;
  }

  static async bind(plan: RingPlan): Promise<RingSession> {
    const folder = plan.transport === "ipc" ? await mkdtemp(join(tmpdir(), "ringstrasse-")) : null;
    const endpoint = folder === null ? `tcp://${plan.address}:0` : `ipc://${join(folder, "ring")}`;
    const transport = await ZeromqRingTransport.bind(endpoint);
    const kernels = instantiateKernels(plan.kernels, plan.memory);
    const { membership, buffers, layoutHash, memory } = plan;
    const collective = createCollective({
      choice: "ring",
      membership,
      buffers,
      memory,
      kernels,
      transport,
      layoutHash,
    });
    return new RingSession(transport, collective, folder);
  }

  /** Where the previous worker connects to. */
  get endpoint(): string {
    return this.#transport.endpoint;
  }

  connect(next: string): void {
    this.#transport.connect(next);
  }

  exchange(exchange: Exchange): Promise<ExchangeReport> {
    return this.#collective.allReduce(exchange, this.#abort.signal);
  }

  /** Ends an exchange under way; the session is of no more use. */
  abort(failure: Failure | null): void {
    this.#abort.abort(new RingstrasseError(failure ?? { code: "INTERRUPTED", signal: "the end of the job" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort(null);
    await this.#collective[Symbol.asyncDispose]();
    await this.#transport[Symbol.asyncDispose]();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }
}
