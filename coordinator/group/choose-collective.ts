import type { CollectiveName } from "../../shared/protocol/control-message.js";
import type { GroupPolicy } from "./group-policy.js";
import type { WorkerRecord } from "./worker-record.js";

export interface CollectiveChoice {
  /** `local`: one worker exchanges with nobody. */
  readonly collective: "local" | CollectiveName;
  /** For people. */
  readonly reason: string;
}

/**
 * How these workers exchange: as was asked for, else through shared memory when all were started here by this coordinator and can do
 * it, else round the ring. Every choice gives the same bits. Pure.
 */
export function chooseCollective(
  { collective }: Pick<GroupPolicy, "collective">,
  workers: readonly WorkerRecord[],
): CollectiveChoice {
  if (workers.length === 1) return { collective: "local", reason: "one worker exchanges with nobody" };
  if (collective !== "auto") return { collective, reason: `${collective} was asked for` };
  if (workers.some(({ launched }) => launched === null)) {
    return { collective: "ring", reason: "ring, since some workers were not started here" };
  }
  const apart = workers.find(({ join }) => !join.sharesMemory);
  if (apart !== undefined) {
    const why = apart.join.sharingProblem ?? "it doesn't say why";
    return { collective: "ring", reason: `ring, since worker ${apart.workerId} can't share memory: ${why}` };
  }
  return { collective: "shm", reason: "shm, since all workers share this host's memory" };
}
