import { dirname, join } from "node:path";
import { describeFailure } from "../../shared/describe-failure.js";
import { toFailure } from "../../shared/failure.js";
import type { Logger } from "../../shared/logger.js";
import type { FinishedEvent, TrainEvent } from "../../shared/train-events.js";
import { openReporter } from "../report/open-reporter.js";
import { documentFileName } from "../vinnsl/results/result-documents.js";

export interface RunReporting {
  /** The value of `--report-to`. */
  readonly url: string;
  /** The server's write token. */
  readonly token: string | null;
  readonly emit: (event: TrainEvent) => void;
  readonly log: Logger;
}

/** The result documents that an output directory has. */
const DOCUMENTS = ["trainingresult", "result"] as const;

/**
 * Runs `train`, telling a server that is elsewhere all that happens. What can't be told is a warning at the end: a run never fails, or
 * waits long, because of who listens.
 */
export async function reportRun(
  { url, token, emit, log }: RunReporting,
  train: (emit: (event: TrainEvent) => void) => Promise<FinishedEvent>,
): Promise<FinishedEvent> {
  await using reporter = openReporter({ url, token, log });
  const warnIfIncomplete = (outcome: Awaited<ReturnType<typeof reporter.fail>>): void => {
    if (outcome.kind === "delivered") return;
    const { problem, undelivered, remedy } = outcome;
    emit({
      event: "warning",
      message: `not all was reported to ${url}: ${problem} (${undelivered.join(", ")}). ${remedy}`,
    });
  };
  try {
    const finished = await train((event) => {
      emit(event);
      reporter.report(event);
    });
    const out = dirname(finished.modelDir);
    const documents = DOCUMENTS.map((part) => ({ part, path: join(out, documentFileName(part)) }));
    warnIfIncomplete(await reporter.finish({ finished, modelDirectory: finished.modelDir, documents }));
    return finished;
  } catch (thrown) {
    const failure = toFailure(thrown);
    log.debug({ failure }, describeFailure(failure));
    warnIfIncomplete(await reporter.fail(failure));
    throw thrown;
  }
}
