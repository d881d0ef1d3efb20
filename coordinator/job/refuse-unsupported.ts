import { RingstrasseError } from "../../shared/failure.js";
import type { TrainOptions } from "../cli/train-options.js";

/** What this version knows of but can't do is refused by name, never ignored: of `train`, `--insecure`. @throws RingstrasseError CHOICE_UNSUPPORTED */
export function refuseUnsupported({ insecure }: Pick<TrainOptions, "insecure">): void {
  // A switch that is off asks for nothing.
  if (insecure !== true) return;
  const remedy = "Leave it out: this version can't do it yet";
  throw new RingstrasseError({ code: "CHOICE_UNSUPPORTED", option: "--insecure", value: "", supported: [], remedy });
}
