import type { Strategy } from "../../shared/strategy-choice.js";
import type { CheckpointOptions } from "../cli/checkpoint-options.js";

export interface FittingOptions<Options> {
  readonly options: Options;
  /** What of the server's options the job can't have, for people; null: it has them all. */
  readonly remark: string | null;
}

/**
 * A server's options as far as a job can have them: whoever submits it can't change them. Within an epoch an asynchronous job has no state to
 * save, so that there the clock decides instead of steps, unless epochs or minutes are named too. Pure.
 * @param minutes between checkpoints, where nothing else says when
 */
export function fittingOptions<Options extends CheckpointOptions>(
  options: Options,
  strategy: Strategy,
  minutes: number,
): FittingOptions<Options | Omit<Options, "checkpoint-steps">> {
  const { "checkpoint-steps": steps, ...others } = options;
  if (steps === undefined || strategy !== "async") return { options, remark: null };
  const isSaid = others["checkpoint-epochs"] !== undefined || others["checkpoint-minutes"] !== undefined;
  return {
    options: isSaid ? others : { ...others, "checkpoint-minutes": minutes },
    remark:
      "the server's --checkpoint-steps is left out: within an epoch asynchronous workers stand at different steps. Its epochs or the clock say after which epochs the state is saved",
  };
}
