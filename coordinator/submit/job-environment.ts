import { withoutOptions } from "../../shared/cli/without-options.js";

/** Of the user, for the job; `submit` has no options for them, since the command lines of a job are readable by everyone. */
const SECRETS = ["RINGSTRASSE_TOKEN", "RINGSTRASSE_REPORT_TOKEN"];

/**
 * The environment for `sbatch`, which hands it to the job. Options and the config file stay behind: what counts of them the script says as
 * arguments, and the others, which `submit` does not take, would be refused by the job's `train`. Pure.
 */
export function jobEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const secrets = Object.entries(environment).filter(([name]) => SECRETS.includes(name));
  return { ...withoutOptions(environment), ...Object.fromEntries(secrets) };
}
