import { layoutOf } from "../../shared/arena-layout.js";
import { EngineNameSchema } from "../../shared/engine-name.js";
import type { FinishedEvent } from "../../shared/train-events.js";
import { type ResultDocument, resultDocuments } from "../vinnsl/results/result-documents.js";
import type { EpochFigures } from "../vinnsl/results/run-facts.js";
import type { TrainingRun } from "./training-run.js";

/** How a run ended. */
export interface EndedRun {
  readonly finished: FinishedEvent;
  /** In the order of epochs. */
  readonly history: readonly EpochFigures[];
  /** All trainable tensors, then the running statistics; each in layer order, without padding, little-endian float32. */
  readonly weights: Uint8Array;
  readonly finishedAt: Date;
}

/** Where a client finds what is too large for a document: files' ids in the service, paths in an output directory. */
export interface ResultPlaces {
  readonly resultFile: string | null;
  readonly weightsFile: string | null;
}

/** The documents that a finished run gives its object. Pure. @throws RangeError when weights and model don't fit */
export function documentsOfRun(run: TrainingRun, ended: EndedRun, places: ResultPlaces): ResultDocument[] {
  const { event: _finished, ...finished } = ended.finished;
  const { object, dataName, version } = run;
  const spec = { ...run.spec, engine: EngineNameSchema.parse(finished.engine) };
  const weights = ended.weights.subarray(0, 4 * layoutOf(spec.model).parameterCount);
  return resultDocuments({ ...ended, ...places, weights, finished, spec, object, dataName, version });
}
