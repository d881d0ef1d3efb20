import { RingstrasseError } from "../../shared/failure.js";
import type { TrainOptions } from "../cli/train-options.js";
import type { GroupPolicy } from "../group/group-policy.js";
import type { JobSettings } from "./job-settings.js";

export interface AsyncWishes {
  readonly settings: Pick<JobSettings, "step" | "model">;
  readonly options: Pick<TrainOptions, "checkpoint-steps">;
  /** That option or document ask for. */
  readonly collective: GroupPolicy["collective"];
}

/** Something that an asynchronous job can't have. */
interface Conflict {
  readonly isThere: boolean;
  readonly what: string;
  readonly remedy: string;
}

/**
 * Refuses what does not go with the strategy async, by name; nothing happens with another strategy. Pure.
 * @throws RingstrasseError CHOICE_UNSUPPORTED
 */
export function refuseAsync({ settings, options, collective }: AsyncWishes): void {
  const { compress, clipNorm, strategy } = settings.step;
  if (strategy.value !== "async") return;
  const conflicts: readonly Conflict[] = [
    {
      isThere: collective !== "auto" && collective !== "parameter-server",
      what: `--collective ${collective}`,
      remedy: "Leave it out: asynchronous workers exchange with one that has the parameters",
    },
    {
      isThere: compress.value !== "none",
      what: `--compress ${compress.value}`,
      remedy: "Leave it out: asynchronous workers send float32",
    },
    {
      isThere: clipNorm.value !== null,
      what: "--clip-norm",
      remedy: "Leave it out: no worker sees the mean gradient of a whole step",
    },
    {
      isThere: options["checkpoint-steps"] !== undefined,
      what: "--checkpoint-steps",
      remedy: "Give --checkpoint-epochs or --checkpoint-minutes: within an epoch the workers stand at different steps",
    },
    {
      isThere: settings.model.layers.some(({ kind }) => kind === "batchNorm"),
      what: "batch normalisation",
      remedy: "Its running statistics belong to whole steps: leave the layer out, or take --strategy sync",
    },
  ];
  const conflict = conflicts.find(({ isThere }) => isThere);
  if (conflict === undefined) return;
  const what = { option: `${conflict.what} with --strategy`, value: "async" };
  throw new RingstrasseError({ code: "CHOICE_UNSUPPORTED", ...what, supported: ["sync"], remedy: conflict.remedy });
}
