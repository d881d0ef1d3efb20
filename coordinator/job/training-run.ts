import type { PlannedJobSpec } from "../../shared/job-spec.js";
import type { ResumableJob } from "../checkpoint/checkpoint-format.js";
import type { CheckpointSettings } from "../checkpoint/checkpoint-settings.js";
import type { SavedCheckpoint } from "../checkpoint/saved-checkpoint.js";
import type { GroupPolicy } from "../group/group-policy.js";
import type { OutputDirectory } from "../output/output-directory.js";
import type { VinnslObject } from "../vinnsl/object/vinnsl-object.js";
import type { Configuration } from "./configuration.js";

/** One run of a job, wholly decided: what `ringstrasse train` and the service hand to the workers. */
export interface TrainingRun {
  readonly spec: PlannedJobSpec;
  /** What the user gave; the result documents speak of it. */
  readonly object: VinnslObject;
  readonly configuration: Configuration;
  /** What an option named as the data, in the document's place; null: the document names it. */
  readonly dataName: string | null;
  readonly policy: GroupPolicy;
  readonly output: OutputDirectory;
  /** The output directory as those who see the run are told of it. */
  readonly shownOut: string;
  readonly labelColumn: number | null;
  readonly featureNames: readonly string[] | null;
  readonly datasetSha256: string;
  readonly version: string;
  /** What of it must stay as it is wherever it goes on. */
  readonly resumable: ResumableJob;
  readonly checkpoints: CheckpointSettings;
  /** That it goes on from; stays its opener's. Null: it begins at its beginning. */
  readonly resumed: SavedCheckpoint | null;
  /** What those who see the run are told of that checkpoint's path. */
  readonly resumedFile: string | null;
}
