import { DEFAULT_CHECKPOINT_MINUTES, type ServeOptions } from "../cli/serve-options.js";
import type { TrainOptionName, TrainOptions } from "../cli/train-options.js";

/** Options of a server that mean the same for each of its jobs. */
const PASSED_ON = [
  "engine",
  "threads",
  "encrypt",
  "silence-timeout",
  "stall-timeout",
  "checkpoint-steps",
  "checkpoint-epochs",
  "keep-checkpoints",
] as const satisfies readonly (TrainOptionName & keyof ServeOptions)[];

/** What holds for every job of a server, whatever its document says. Pure. */
export function jobOptions(options: ServeOptions): TrainOptions {
  const given = PASSED_ON.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const]));
  const minutes = checkpointMinutes(options);
  return { ...Object.fromEntries(given), ...(minutes === 0 ? {} : { "checkpoint-minutes": minutes }) };
}

/** 0: not by time. Whoever says when by steps or epochs has said it. */
function checkpointMinutes(options: ServeOptions): number {
  const isSaid = options["checkpoint-steps"] !== undefined || options["checkpoint-epochs"] !== undefined;
  return options["checkpoint-minutes"] ?? (isSaid ? 0 : DEFAULT_CHECKPOINT_MINUTES);
}
