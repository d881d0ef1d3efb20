import type { CollectiveName, MeasuredChoice, MpiMode } from "../../shared/collective-choice.js";
import type { Failure } from "../../shared/failure.js";
import type { FromCoordinator, SegmentPlace, WorkerBody } from "../../shared/protocol/control-message.js";
import type { LinkKeys } from "../../shared/transport/link-keys.js";
import type { AsyncPlan } from "../async/create-async-parameters.js";
import type { PushPull, PushPullReport } from "../async/push-pull.js";
import type { Exchange, ExchangeBuffers, ExchangeReport, Membership, TotalPlaces } from "../collective/collective.js";
import type { MemorySharing } from "../collective/memory-domain.js";
import type { Address } from "../kernels/kernels.js";
import type { MpiAccess } from "../mpi/mpi-access.js";
import type { Snapshot } from "./snapshot-sender.js";

/** What a communication thread is started with. */
export interface ThreadStart {
  readonly coordinatorEndpoint: string;
  /** The coordinator's public key, in Z85; null: the link is not encrypted. */
  readonly coordinatorKey: string | null;
  readonly workerId: string;
  /** The main thread's progress board. */
  readonly board: SharedArrayBuffer;
  /** The main thread's snapshot board. */
  readonly snapshots: SharedArrayBuffer;
  /** File descriptor whose end of file means that the parent is gone; null: not watched. */
  readonly parentPipe: number | null;
  /** How to get at the MPI that has begun for this process; null: none has. */
  readonly mpi: MpiAccess | null;
  /** Where probes are answered; null: nowhere. */
  readonly healthPort: number | null;
}

/** A ring to bind: everything the thread needs to reduce in the worker's shared memory. */
export interface RingPlan {
  readonly jobId: string;
  readonly membership: Membership;
  /** Of the link from the previous worker. */
  readonly transport: "tcp" | "ipc";
  /** One, or several to measure. */
  readonly collectives: readonly CollectiveName[];
  readonly sharesMemory: { readonly withPrevious: boolean; readonly withNext: boolean };
  /** Of the collective `mpi`. */
  readonly mpiMode: MpiMode;
  /** Where tcp rings listen: this host's address as its peers reach it. */
  readonly address: string;
  /** Of links over tcp; null: they are not encrypted. */
  readonly linkKeys: LinkKeys | null;
  readonly memory: WebAssembly.Memory;
  readonly kernels: WebAssembly.Module;
  readonly buffers: ExchangeBuffers;
  /** Where the window of the group's shared memory belongs in `memory`: see exchange-window.ts. Null: no collective needs one. */
  readonly window: Address | null;
  readonly layoutHash: string;
  /** Of an asynchronous job, whose workers form a star; null: all exchange in every step. */
  readonly async: AsyncPlan | null;
}

/** This worker's end of a ring, as the others find it. */
export interface BoundRing {
  readonly endpoint: string;
  /** Null: the collective shares no memory. */
  readonly segment: SegmentPlace | null;
}

/** A ring that is ready for exchanges. */
export interface ConnectedRing {
  /** Where they leave their totals. */
  readonly totals: TotalPlaces;
  /** How the collective was chosen; null: it was settled before. */
  readonly measured: MeasuredChoice | null;
}

/** Main thread → communication thread. */
export type ToThread =
  /** Opens a link to the coordinator, in the place of an earlier one; answered by `connected`. */
  | { readonly kind: "connect"; readonly link: number }
  | { readonly kind: "send"; readonly body: WorkerBody }
  /** A checkpoint, to be sent beside all else. */
  | { readonly kind: "snapshot"; readonly snapshot: Snapshot }
  | { readonly kind: "bindRing"; readonly plan: RingPlan }
  /** Both by rank; no segment where no memory is shared. Answered by `ringConnected`. */
  | {
      readonly kind: "connectRing";
      readonly endpoints: readonly string[];
      readonly segments: readonly (SegmentPlace | null)[];
    }
  | { readonly kind: "exchange"; readonly exchange: Exchange }
  /** Of an asynchronous job; answered by `pushed`. */
  | { readonly kind: "pushPull"; readonly request: PushPull }
  /** Answered by `ringClosed`. */
  | { readonly kind: "closeRing" }
  | { readonly kind: "close" };

/** Communication thread → main thread. */
export type FromThread =
  | { readonly kind: "connected"; readonly sharing: MemorySharing }
  | { readonly kind: "received"; readonly link: number; readonly message: FromCoordinator }
  | { readonly kind: "ringBound"; readonly ring: BoundRing }
  | ({ readonly kind: "ringConnected" } & ConnectedRing)
  /** The generation has no ring; the control link is there. */
  | { readonly kind: "ringFailed"; readonly failure: Failure }
  | { readonly kind: "exchanged"; readonly report: ExchangeReport }
  | { readonly kind: "pushed"; readonly report: PushPullReport }
  /** The ring is of no more use; the control link is. */
  | { readonly kind: "exchangeFailed"; readonly failure: Failure }
  | { readonly kind: "ringClosed" }
  /** The link is of no more use: the coordinator is lost. */
  | { readonly kind: "linkBroken"; readonly link: number; readonly failure: Failure }
  /** The thread can't go on, or the parent is gone. */
  | { readonly kind: "broken"; readonly failure: Failure }
  | { readonly kind: "closed" };
