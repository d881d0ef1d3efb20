import type { CollectiveName } from "../../shared/collective-choice.js";
import type { SegmentPlace } from "../../shared/protocol/control-message.js";
import type { PayloadFormat } from "../../shared/step-rules.js";

/** What is measured at one size, the same by every system. */
export interface SizePlan {
  /** float32 numbers. */
  readonly count: number;
  /** Timed repetitions, after {@link warmUps} that are not. */
  readonly repetitions: number;
  readonly warmUps: number;
}

/** What a rank is started with, as its only argument. */
export interface RankStart {
  readonly rank: number;
  readonly ranks: number;
  readonly collective: CollectiveName;
  readonly transport: "ipc" | "tcp";
  /** Of sums on their way. */
  readonly format: Exclude<PayloadFormat, "topk">;
  /** Of this rank's host. */
  readonly address: string;
  /** Links over tcp are encrypted. */
  readonly encrypt: boolean;
  readonly sizes: readonly SizePlan[];
}

/** Parent → rank. */
export type ToRank =
  | {
      readonly kind: "connect";
      /** By rank, as the segments. */
      readonly endpoints: readonly string[];
      readonly segments: readonly (SegmentPlace | null)[];
    }
  /** All ranks have finished with this size's ring: it may be closed. */
  | { readonly kind: "close" };

/** Rank → parent. */
export type FromRank =
  | { readonly kind: "bound"; readonly endpoint: string; readonly segment: SegmentPlace | null }
  | { readonly kind: "measured"; readonly microseconds: number; readonly wrong: number };

/** One size, by one system, on one set of ranks, in one round. */
export interface Timing {
  readonly count: number;
  /** Mean of the repetitions on the slowest rank, as nccl-tests count. */
  readonly microseconds: number;
  /** Elements that differ from the sum they should hold, over all ranks. */
  readonly wrong: number;
}
