import type { BlockPlan } from "../../shared/arena-layout.js";
import type { Address } from "../kernels/kernels.js";

/** This worker's place in one generation of the group. */
export interface Membership {
  readonly generation: number;
  readonly rank: number;
  readonly worldSize: number;
  /** R of the job. */
  readonly replicas: number;
}

/**
 * Where the numbers of an exchange lie in the worker's shared memory. All addresses are byte offsets, 64-byte aligned.
 * Two sets of sums, used in turn: a set may still be on the wire when its exchange has returned; it is free again when
 * the next exchange has (see ring-collective.ts for the proof).
 */
export interface ExchangeBuffers {
  readonly blocks: BlockPlan;
  /** Float64 values in the scalar block (block 0): loss, metrics, counts. */
  readonly scalarCount: number;
  /** Gradient arena of each local replica, ascending replica order. */
  readonly gradients: readonly Address[];
  /** Scalar block (`scalarCount` float64) of each local replica. */
  readonly scalars: readonly Address[];
  readonly sums: readonly [Address, Address];
  readonly scalarSums: readonly [Address, Address];
  /** Absent: sums travel as float32. */
  readonly packed?: PackedBuffers;
  /** Absent: all gradients travel. */
  readonly sparse?: SparseBuffers;
  /** Room for one block of one replica's gradients, or of its scalars: of whoever folds what others send. Absent: nobody does here. */
  readonly inbox?: Address;
}

/** Where only the largest gradients travel. */
export interface SparseBuffers {
  /** k: elements that each replica sends. */
  readonly count: number;
  /** Floats at the beginning of the arena from which they are chosen; all behind travels. */
  readonly length: number;
  /** Arena of each local replica, ascending: what it has not sent yet. Zero at first; changed by each exchange of gradients. */
  readonly residuals: readonly Address[];
}

/** Where sums lie that travel in 16 bits. */
export interface PackedBuffers {
  readonly format: "bf16" | "fp16";
  /** Floats at the beginning of the arena that do; blocks that reach beyond stay float32. */
  readonly length: number;
  /** Two sets, used in turn like `sums`: 2 bytes for each float of the arena. */
  readonly sums: readonly [Address, Address];
}

/** Where an exchange leaves the totals: two sets, used in turn. */
export type TotalPlaces = Pick<ExchangeBuffers, "sums" | "scalarSums">;

export interface Exchange {
  /** Rises by one with every exchange of a generation, alike on all workers; its parity chooses the set of sums. */
  readonly sequence: number;
  /** Arena blocks too, or only the scalar block (evaluation, barriers). */
  readonly withArena: boolean;
  /** Power of two that gradients are multiplied by before they are packed; totals are divided by it. Default 1; of packed sums only. */
  readonly scale?: number;
  /** That gradients are multiplied by when they are added to the residuals; sums stay as they are. Default 1; of sparse buffers only. */
  readonly weight?: number;
  /**
   * The one replica whose gradients are wanted, as they are; all others' are zeros. A collective that sends no more than a part of gradients
   * must send these whole. Absent: all are wanted.
   */
  readonly source?: number;
}

/** What one exchange cost this worker. */
export interface ExchangeReport {
  /** Payload bytes, without frame headers. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly elapsedMs: number;
}

/**
 * Sums over all *replicas* of the job, on every worker. *Ordered* implementations evaluate, for block b (scalars: block 0,
 * arena blocks 1, 2, …), exactly ((g_s + g_{s+1}) + …) in ring order from replica s = b mod R, wherever the replicas live;
 * hence the same bits for every number of workers. One exchange at a time.
 */
export interface Collective extends AsyncDisposable {
  readonly name: string;
  readonly ordered: boolean;
  readonly totals: TotalPlaces;
  /**
   * After it resolves, `totals.sums[sequence % 2]` and `totals.scalarSums[sequence % 2]` hold the totals.
   * @throws the signal's reason when aborted; the collective can't be used again then.
   * @throws RingstrasseError PROTOCOL_VIOLATION for frames that don't belong to this exchange.
   */
  allReduce(exchange: Exchange, signal: AbortSignal): Promise<ExchangeReport>;
}
