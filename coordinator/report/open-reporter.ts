import { isSendableToken, UNSENDABLE_TOKEN } from "../../shared/api/token.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { Logger } from "../../shared/logger.js";
import { HttpReportChannel } from "./http-report-channel.js";
import { JobReporter, type ReportTiming } from "./job-reporter.js";
import type { ReportChannel } from "./report-channel.js";
import { readReportTarget } from "./report-target.js";
import { SpoolReportChannel } from "./spool-report-channel.js";

export interface ReporterOptions {
  /** `http://HOST:PORT/vinnsl/ID` (or https), or `file:///SPOOL/DIRECTORY/ID`. */
  readonly url: string;
  /** The server's write token; null: it wants none. A spool needs none. */
  readonly token: string | null;
  readonly log: Logger;
  readonly timing?: Partial<ReportTiming>;
  readonly requestTimeoutMs?: number;
}

const TIMING: ReportTiming = { batchMs: 500, firstRetryMs: 250, lastRetryMs: 8_000, patienceMs: 30_000 };
const REQUEST_TIMEOUT_MS = 10_000;
const KEPT_OF_KIND = 2_000;
const SPOOL = { maxWaiting: 256, heldBackMs: 30_000 };

/** Starts to report a run, whose first report says that it is in progress. Waits for nobody. @throws RingstrasseError USAGE (address, token) */
export function openReporter(options: ReporterOptions): JobReporter {
  const channel = openChannel(options);
  const timing = { ...TIMING, ...options.timing };
  return new JobReporter({ channel, log: options.log, timing, keptOfKind: KEPT_OF_KIND });
}

/** @throws RingstrasseError USAGE */
function openChannel({ url, token, requestTimeoutMs }: ReporterOptions): ReportChannel {
  const target = readReportTarget(url);
  if (target.kind === "spool") return new SpoolReportChannel({ directory: target.directory, ...SPOOL });
  if (token !== null && !isSendableToken(token)) {
    const remedy = "Give the server's write token";
    throw new RingstrasseError({ code: "USAGE", option: "--report-token", problem: UNSENDABLE_TOKEN, remedy });
  }
  const { address } = target;
  return new HttpReportChannel({ address, token, requestTimeoutMs: requestTimeoutMs ?? REQUEST_TIMEOUT_MS });
}
