import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { ErrorResponseSchema } from "../../shared/api/error-response.js";
import { StatusesResponseSchema } from "../../shared/api/job-status.js";
import { shortenMessage } from "../../shared/api/run-report.js";
import { encodeTrainEvent } from "../../shared/train-events.js";
import { unreachable } from "../../shared/unreachable.js";
import { isSystemError } from "../../shared/write-failure.js";
import type { Delivery, OutgoingReport, ReportChannel } from "./report-channel.js";
import type { JobAddress } from "./report-target.js";

export interface HttpReportChannelOptions {
  readonly address: JobAddress;
  /** Null: the server wants none. */
  readonly token: string | null;
  /** How long the server may take to answer; uploads get more by their size. */
  readonly requestTimeoutMs: number;
}

interface Outgoing {
  readonly method: "GET" | "PUT" | "POST";
  readonly path: string;
  readonly contentType?: string;
  readonly body?: string | ReadableStream;
  readonly timeoutMs?: number;
}

/** The slowest upload that is worth waiting for. */
const BYTES_PER_MS = 100;
/** The paths under which the stack takes the documents. */
const PART_PATHS = { instance: "instanceschema", trainingresult: "trainingresult", result: "resultschema" } as const;

/** Reports straight to the server's REST interface. */
export class HttpReportChannel implements ReportChannel {
  readonly target: string;
  readonly #options: HttpReportChannelOptions;

  constructor(options: HttpReportChannelOptions) {
    this.#options = options;
    const { origin, id } = options.address;
    this.target = `${origin}/vinnsl/${id}`;
  }

  async deliver(report: OutgoingReport, signal: AbortSignal): Promise<Delivery> {
    try {
      const response = await this.#send(await this.#request(report), signal);
      if (response.ok) {
        await response.arrayBuffer();
        return { kind: "delivered" };
      }
      const problem = await saidBy(response);
      if (report.kind === "status" && response.status === 409) {
        if ((await this.#status(signal)) === report.status) return { kind: "delivered" };
      }
      return judge(response.status, problem);
    } catch (thrown) {
      return brokenDelivery(thrown, report);
    }
  }

  hurry(): void {
    // Nothing is ever held back here.
  }

  async #request(report: OutgoingReport): Promise<Outgoing> {
    const { id } = this.#options.address;
    const job = `/vinnsl/${encodeURIComponent(id)}`;
    switch (report.kind) {
      case "status": {
        const query =
          report.message === null ? "" : `?${new URLSearchParams({ message: shortenMessage(report.message) })}`;
        return { method: "PUT", path: `/status/${encodeURIComponent(id)}/${report.status}${query}` };
      }
      case "events": {
        const query = new URLSearchParams({ from: String(report.from), run: report.run });
        const body = report.events.map((event) => `${encodeTrainEvent(event)}\n`).join("");
        return {
          method: "POST",
          path: `${job}/ingest/events?${query}`,
          contentType: "application/x-ndjson",
          body,
        };
      }
      case "document":
        return {
          method: "PUT",
          path: `${job}/${PART_PATHS[report.part]}`,
          contentType: "application/xml",
          body: report.xml,
        };
      case "modelFile": {
        const { size } = await stat(report.path);
        return {
          method: "PUT",
          path: `${job}/ingest/model/${encodeURIComponent(report.name)}`,
          contentType: "application/octet-stream",
          body: Readable.toWeb(createReadStream(report.path)) as ReadableStream,
          timeoutMs: this.#options.requestTimeoutMs + Math.ceil(size / BYTES_PER_MS),
        };
      }
      default:
        return unreachable(report);
    }
  }

  async #status(signal: AbortSignal): Promise<string | null> {
    const { id } = this.#options.address;
    const response = await this.#send({ method: "GET", path: `/status/${encodeURIComponent(id)}` }, signal);
    const answer = StatusesResponseSchema.safeParse(await response.json());
    return (answer.success ? answer.data[id] : null) ?? null;
  }

  #send({ method, path, contentType, body, timeoutMs }: Outgoing, signal: AbortSignal): Promise<Response> {
    const { address, token, requestTimeoutMs } = this.#options;
    const headers = new Headers({ accept: "application/json" });
    if (token !== null) headers.set("authorization", `Bearer ${token}`);
    if (contentType !== undefined) headers.set("content-type", contentType);
    return fetch(`${address.origin}${path}`, {
      method,
      headers,
      body: body ?? null,
      // What a stream needs; it changes nothing for a text.
      duplex: "half",
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs ?? requestTimeoutMs)]),
    });
  }
}

function judge(status: number, problem: string): Delivery {
  if (status === 401 || status === 403) {
    const remedy = "Give the server's write token with --report-token";
    return { kind: "refused", scope: "run", problem, remedy };
  }
  if (status === 404) {
    const remedy = "Give the address of a job that the server has: http://HOST:PORT/vinnsl/ID";
    return { kind: "refused", scope: "run", problem, remedy };
  }
  if (status === 409) {
    const remedy = "Look at the job on the server: somebody may have cancelled it or queued it again";
    return { kind: "refused", scope: "run", problem, remedy };
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500) return { kind: "failed", problem };
  if (status === 413) {
    const remedy =
      "It lies in the run's output directory. For the server to take it, raise its --max-file (models), or the limit on bodies of a proxy before it";
    return { kind: "refused", scope: "report", problem, remedy };
  }
  const remedy = "Use the same version of this software on both sides";
  return { kind: "refused", scope: "report", problem, remedy };
}

async function saidBy(response: Response): Promise<string> {
  const answer = `the server answered ${response.status}`;
  const body: unknown = await response.json().catch(() => null);
  const known = ErrorResponseSchema.safeParse(body);
  return known.success ? `${answer} (${known.data.error.code}: ${known.data.error.message})` : answer;
}

/** @throws what is neither a broken connection nor a file that can't be read: a mistake of this software */
function brokenDelivery(thrown: unknown, report: OutgoingReport): Delivery {
  if (isSystemError(thrown) && report.kind === "modelFile") {
    const problem = `the file ${report.path} can't be read (${thrown.message})`;
    return { kind: "refused", scope: "report", problem, remedy: "Look whether the run's output directory is whole" };
  }
  if (!(thrown instanceof TypeError || thrown instanceof DOMException)) throw thrown;
  if (thrown.name === "TimeoutError") return { kind: "failed", problem: "the server did not answer in time" };
  if (thrown.name === "AbortError")
    return { kind: "failed", problem: "the server did not answer before the time to report was over" };
  // `fetch failed` says nothing; its cause does.
  const { cause } = thrown;
  const why = cause instanceof Error && cause.message !== "" ? cause.message : thrown.message;
  return { kind: "failed", problem: `the server can't be reached (${codeOf(cause) ?? why})` };
}

function codeOf(cause: unknown): string | null {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : null;
}
