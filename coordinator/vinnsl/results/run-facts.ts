import type { JobSpec } from "../../../shared/job-spec.js";
import type { EpochEvent, FinishedEvent } from "../../../shared/train-events.js";
import type { VinnslObject } from "../object/vinnsl-object.js";

/** One epoch as the result keeps it. */
export type EpochFigures = Omit<EpochEvent, "event">;

/** All that result documents are made of. */
export interface RunFacts {
  /** What was trained, as the user gave it. */
  readonly object: VinnslObject;
  /** What it was trained on where its `dataSchemaID` had no say; null: what that names. */
  readonly dataName: string | null;
  readonly spec: JobSpec;
  readonly finished: Omit<FinishedEvent, "event">;
  /** In the order of epochs. */
  readonly history: readonly EpochFigures[];
  /** All trainable tensors in layer order, without padding, little-endian float32. */
  readonly weights: Uint8Array;
  /** Gives the documents their date. */
  readonly finishedAt: Date;
  /** Of this software. */
  readonly version: string;
  /** Where a client finds the whole result: a file's id in the service, a path in an output directory; null: nowhere. */
  readonly resultFile: string | null;
  /** Where a client finds the weights when they are too many for a document; null: nowhere. */
  readonly weightsFile: string | null;
}

/** `xs:date`, UTC. */
export function dateText(date: Date): string {
  return date.toISOString().slice(0, 10);
}
