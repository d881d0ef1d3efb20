import type { CollectiveName } from "../../shared/protocol/control-message.js";
import type { GroupPolicy } from "./group-policy.js";
import type { WorkerRecord } from "./worker-record.js";

export interface CollectiveChoice {
  /** `local`: one worker exchanges with nobody. */
  readonly collective: "local" | CollectiveName;
  /** Whether it folds in the canonical order, which gives the same bits for any number of workers. */
  readonly ordered: boolean;
  /** For people. */
  readonly reason: string;
}

/**
 * How these workers exchange: as was asked for, else through shared memory when all were started here by this coordinator and can do
 * it, else round the ring. Every choice that is ordered gives the same bits. Pure.
 */
export function chooseCollective(
  { collective, mpiMode }: Pick<GroupPolicy, "collective" | "mpiMode">,
  workers: readonly WorkerRecord[],
): CollectiveChoice {
  const ordered = true;
  if (workers.length === 1) return { collective: "local", ordered, reason: "one worker exchanges with nobody" };
  if (collective === "mpi") {
    const how = mpiMode === "ordered" ? "" : `, in MPI's own order (${mpiMode})`;
    return { collective, ordered: mpiMode === "ordered", reason: `mpi was asked for${how}` };
  }
  if (collective !== "auto") return { collective, ordered, reason: `${collective} was asked for` };
  if (workers.some(({ launched }) => launched === null)) {
    return { collective: "ring", ordered, reason: "ring, since some workers were not started here" };
  }
  if (new Set(workers.map(({ join }) => join.host)).size > 1) {
    return { collective: "ring", ordered, reason: "ring, since the workers are on several hosts" };
  }
  const apart = workers.find(({ join }) => !join.sharesMemory);
  if (apart !== undefined) {
    const why = apart.join.sharingProblem ?? "it doesn't say why";
    return { collective: "ring", ordered, reason: `ring, since worker ${apart.workerId} can't share memory: ${why}` };
  }
  return { collective: "shm", ordered, reason: "shm, since all workers share this host's memory" };
}
