import { optionText } from "../cli/option-table.js";
import { type LaunchedPlace, launchedPlace } from "./launched-place.js";

/**
 * Which rank `ringstrasse train ARGS` is of those that a launcher started together; null: it was started alone, or `--launcher`, its
 * variable or the config file says how its workers start.
 * @throws RingstrasseError USAGE as {@link launchedPlace}
 */
export function rankOfCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): LaunchedPlace | null {
  return optionText("launcher", args, environment) === null ? launchedPlace(environment) : null;
}
