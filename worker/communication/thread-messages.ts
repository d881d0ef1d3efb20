import type { Failure } from "../../shared/failure.js";
import type { FromCoordinator, WorkerBody } from "../../shared/protocol/control-message.js";
import type { Exchange, ExchangeBuffers, ExchangeReport, Membership } from "../collective/collective.js";

/** What a communication thread is started with. */
export interface ThreadStart {
  readonly coordinatorEndpoint: string;
  readonly workerId: string;
  /** The main thread's progress board. */
  readonly board: SharedArrayBuffer;
  /** File descriptor whose end of file means that the parent is gone; null: not watched. */
  readonly parentPipe: number | null;
}

/** A ring to bind: everything the thread needs to reduce in the worker's shared memory. */
export interface RingPlan {
  readonly jobId: string;
  readonly membership: Membership;
  readonly transport: "tcp" | "ipc";
  /** Where tcp rings listen: this host's address as its peers reach it. */
  readonly address: string;
  readonly memory: WebAssembly.Memory;
  readonly kernels: WebAssembly.Module;
  readonly buffers: ExchangeBuffers;
  readonly layoutHash: string;
}

/** Main thread → communication thread. */
export type ToThread =
  | { readonly kind: "send"; readonly body: WorkerBody }
  | { readonly kind: "bindRing"; readonly plan: RingPlan }
  | { readonly kind: "connectRing"; readonly next: string }
  | { readonly kind: "exchange"; readonly exchange: Exchange }
  | { readonly kind: "close" };

/** Communication thread → main thread. */
export type FromThread =
  | { readonly kind: "received"; readonly message: FromCoordinator }
  | { readonly kind: "ringBound"; readonly endpoint: string }
  | { readonly kind: "exchanged"; readonly report: ExchangeReport }
  /** The ring is of no more use; the control link is. */
  | { readonly kind: "exchangeFailed"; readonly failure: Failure }
  /** The thread can't go on: the coordinator is lost, or the parent is gone. */
  | { readonly kind: "broken"; readonly failure: Failure }
  | { readonly kind: "closed" };
