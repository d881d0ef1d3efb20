import type { TrainOptions } from "../cli/train-options.js";
import type { GroupPolicy } from "../group/group-policy.js";
import type { NetworkDefinition } from "../vinnsl/network-definition.js";
import type { JobSettings } from "./job-settings.js";
import { refusedPair } from "./refused-pair.js";

export interface AsyncWishes {
  readonly settings: Pick<JobSettings, "step" | "model">;
  readonly options: Pick<TrainOptions, "checkpoint-steps" | "collective">;
  readonly definition: Pick<NetworkDefinition, "parameters" | "execution" | "hidden">;
  /** The document, for messages; null when it came from elsewhere. */
  readonly file: string | null;
  /** That option or document ask for. */
  readonly collective: GroupPolicy["collective"];
}

/** Something that an asynchronous job can't have. */
interface Conflict {
  readonly isThere: boolean;
  readonly what: string;
  readonly remedy: string;
  /** The document's words for it, and the element that asks for it; null: an option does. */
  readonly inDocument: string;
  readonly path: string | null;
}

/**
 * Refuses what does not go with the strategy async, by name; nothing happens with another strategy. Pure.
 * @throws RingstrasseError CHOICE_UNSUPPORTED; DOCUMENT_UNSUPPORTED where the document alone asks for both
 */
export function refuseAsync(wishes: AsyncWishes): void {
  const { settings, file } = wishes;
  const { strategy } = settings.step;
  if (strategy.value !== "async") return;
  const conflict = conflicts(wishes).find(({ isThere }) => isThere);
  if (conflict === undefined) return;
  throw refusedPair({
    option: `${conflict.what} with --strategy`,
    value: "async",
    supported: ["sync"],
    remedy: conflict.remedy,
    element: {
      file,
      path: strategy.source === "document" ? conflict.path : null,
      problem: `with the strategy async ${conflict.inDocument}`,
      supported: ["async without it", "the strategy sync"],
    },
  });
}

function conflicts({ settings, options, definition, collective }: AsyncWishes): readonly Conflict[] {
  const { compress, clipNorm } = settings.step;
  const { parameters, execution, hidden } = definition;
  const pathOf = (name: "compress" | "clipNorm"): string | null =>
    settings.step[name].source === "document" ? (parameters.paths[name] ?? null) : null;
  const normalised = hidden.find(({ layer, normalisation }) => layer?.kind === "batchNorm" || normalisation);
  return [
    {
      isThere: collective !== "auto" && collective !== "parameter-server",
      what: `--collective ${collective}`,
      remedy: "Leave it out: asynchronous workers exchange with one that has the parameters",
      inDocument: `workers exchange with one that has the parameters, not by the collective ${collective}`,
      path: options.collective === undefined ? (execution.paths["collective"] ?? null) : null,
    },
    {
      isThere: compress.value !== "none",
      what: `--compress ${compress.value}`,
      remedy: "Leave it out: asynchronous workers send float32",
      inDocument: `workers send float32, not ${compress.value}`,
      path: pathOf("compress"),
    },
    {
      isThere: clipNorm.value !== null,
      what: "--clip-norm",
      remedy: "Leave it out: no worker sees the mean gradient of a whole step",
      inDocument: "no worker sees the mean gradient of a whole step, which would be clipped",
      path: pathOf("clipNorm"),
    },
    {
      isThere: options["checkpoint-steps"] !== undefined,
      what: "--checkpoint-steps",
      remedy: "Give --checkpoint-epochs or --checkpoint-minutes: within an epoch the workers stand at different steps",
      inDocument: "the workers stand at different steps",
      path: null,
    },
    {
      isThere: settings.model.layers.some(({ kind }) => kind === "batchNorm"),
      what: "batch normalisation",
      remedy: "Its running statistics belong to whole steps: leave the layer out, or take --strategy sync",
      inDocument: "there are no whole steps, to which the running statistics of batch normalisation belong",
      path: normalised?.path ?? null,
    },
  ];
}
