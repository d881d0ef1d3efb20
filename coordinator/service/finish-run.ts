import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import type { JobStore } from "../store/job-store.js";
import type { JobCheckpoints } from "./job-checkpoints.js";
import type { JobDocuments } from "./job-documents.js";
import type { JobLife } from "./job-life.js";
import type { KeyedTurns } from "./keyed-turns.js";
import type { RunResults } from "./run-results.js";
import type { AttemptResult } from "./train-job.js";

export interface FinishingOptions {
  readonly store: Pick<JobStore, "summary">;
  readonly life: JobLife;
  readonly documents: JobDocuments;
  readonly results: RunResults;
  readonly checkpoints: JobCheckpoints;
  /** Whoever changes a job's status does so in its turn. */
  readonly turns: KeyedTurns<JobId>;
  readonly log: Logger;
}

/** Does work of a run again and again while an outage lasts. */
export type Outlasting = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Keeps what a run has trained: its files, its documents and the job's status. Then the files of the run before, and the job's
 * checkpoints, are gone. @throws RingstrasseError with the first failure that `outlast` gives up for: the files are gone again, unless
 * the job speaks of them
 */
export async function finishRun(
  { store, life, documents, results, checkpoints, turns, log }: FinishingOptions,
  { run, trained }: Extract<AttemptResult, { kind: "trained" }>,
  outlast: Outlasting,
): Promise<void> {
  const id = run.spec.jobId;
  const { modelFileIds: earlier } = (await outlast(() => store.summary(id))).run;
  const { outcome, documents: parts } = await outlast(() => results.publish(run, trained));
  const finish = async () => {
    const document = await documents.withResults(id, parts);
    await life.move(id, "finish", { outcome, document }, [trained.finished]);
  };
  try {
    await outlast(() => turns.run(id, finish));
  } catch (thrown) {
    // A write that failed may have been kept all the same: then the job has finished, and can't a second time.
    if (!isConflict(thrown) || !speaksOf(await outlast(() => store.summary(id)), outcome.modelFileIds)) {
      await results.forget(outcome.modelFileIds);
      throw thrown;
    }
  }
  await results.forget(earlier);
  try {
    await checkpoints.forget(id);
  } catch (thrown) {
    // Nobody needs them: they are removed when the job is queued again.
    log.error({ err: thrown, jobId: id }, "checkpoints not removed");
  }
}

function isConflict(thrown: unknown): boolean {
  return thrown instanceof RingstrasseError && thrown.failure.code === "CONFLICT";
}

function speaksOf({ run }: Awaited<ReturnType<JobStore["summary"]>>, files: readonly string[]): boolean {
  return files.every((id) => run.modelFileIds.includes(id));
}
