import type { z } from "zod";
import { type Cluster, ClusterSchema } from "../../../shared/api/cluster.js";
import { ErrorResponseSchema } from "../../../shared/api/error-response.js";
import { type JobDetail, JobDetailSchema } from "../../../shared/api/job-detail.js";
import { type JobMetrics, JobMetricsSchema } from "../../../shared/api/job-metrics.js";
import type { JobStatus } from "../../../shared/api/job-status.js";
import { type JobPage, JobPageSchema } from "../../../shared/api/job-summary.js";
import { UploadedFileSchema } from "../../../shared/api/uploaded-file.js";
import { ApiError } from "./api-error.js";
import type { TokenKeeper } from "./token-keeper.js";

/** `anew`: to be trained without its last saved state. */
export type JobCommand = "train" | "retrain" | "anew" | "cancel";

export interface JobQuery {
  readonly limit: number;
  /** Null: from the newest. */
  readonly cursor: string | null;
  /** Null: all. */
  readonly status: JobStatus | null;
}

export interface ApiClientOptions {
  /** Scheme, host and port, without a final slash; empty in a page that the server itself delivered. */
  readonly origin: string;
  readonly tokens: TokenKeeper;
  /** Told when the server wants a token, or another one. */
  readonly unauthorised: () => void;
  /** How long an answer that is read as a whole may take; default 15,000. */
  readonly readMs?: number;
}

interface Request {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | FormData;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_READ_MS = 15_000;

/**
 * The coordinator's REST interface. Every call may be made at any time; an aborted one ends with an `AbortError`.
 * @throws ApiError from every call: the server's own refusal, no answer (`UNREACHABLE`), or one that this page can't read
 *   (`ANSWER_UNREADABLE`)
 */
export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  get hasToken(): boolean {
    return this.#options.tokens.get() !== null;
  }

  cluster(signal?: AbortSignal): Promise<Cluster> {
    return this.#read("/cluster", ClusterSchema, signal);
  }

  jobs(query: JobQuery, signal?: AbortSignal): Promise<JobPage> {
    const parameters = new URLSearchParams({ limit: String(query.limit) });
    if (query.cursor !== null) parameters.set("cursor", query.cursor);
    if (query.status !== null) parameters.set("status", query.status);
    return this.#read(`/cluster/jobs?${parameters}`, JobPageSchema, signal);
  }

  job(id: string, signal?: AbortSignal): Promise<JobDetail> {
    return this.#read(`/cluster/jobs/${encodeURIComponent(id)}`, JobDetailSchema, signal);
  }

  metrics(id: string, signal?: AbortSignal): Promise<JobMetrics> {
    return this.#read(`${vinnsl(id)}/metrics?from=0`, JobMetricsSchema, signal);
  }

  /** The job's whole ViNNSL document as XML. */
  async document(id: string, signal?: AbortSignal): Promise<string> {
    return (await this.request(vinnsl(id), { headers: { accept: "application/xml" }, signal })).text();
  }

  /** @returns the new job's id */
  async submit(xml: string, signal?: AbortSignal): Promise<string> {
    const headers = { "content-type": "application/xml" };
    const response = await this.request("/vinnsl", { method: "POST", headers, body: xml, signal });
    const id = response.headers.get("location")?.split("/").filter(Boolean).at(-1);
    if (id === undefined) throw unreadable("/vinnsl", "it has no Location header");
    return decodeURIComponent(id);
  }

  /** @returns the file's id */
  async upload(file: Blob, name: string, signal?: AbortSignal): Promise<string> {
    const body = new FormData();
    body.set("file", file, name);
    const response = await this.request("/storage", { method: "POST", body, signal });
    return (await parsed(response, "/storage", UploadedFileSchema)).file;
  }

  async attach(id: string, fileId: string, signal?: AbortSignal): Promise<void> {
    const query = new URLSearchParams({ fileId });
    await this.request(`${vinnsl(id)}/addfile?${query}`, { method: "PUT", signal });
  }

  async command(id: string, command: JobCommand): Promise<void> {
    const path = command === "anew" ? "retrain?resume=never" : command;
    await this.request(`${vinnsl(id)}/${path}`, { method: "POST" });
  }

  async remove(id: string): Promise<void> {
    await this.request(vinnsl(id), { method: "DELETE" });
  }

  async download(href: string): Promise<Blob> {
    return (await this.request(href, {})).blob();
  }

  /** @param lastEventId resumes behind this event */
  async events(id: string, lastEventId: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const path = `${vinnsl(id)}/events`;
    const headers = { accept: "text/event-stream", "last-event-id": String(lastEventId) };
    const { body } = await this.request(path, { headers, signal });
    if (body === null) throw unreadable(path, "it has no body");
    return body;
  }

  /** Sends `request` with the token, if there is one. @returns an answer below 400 */
  async request(path: string, request: Request): Promise<Response> {
    const { origin, tokens, unauthorised } = this.#options;
    const { signal, body, method = "GET" } = request;
    const token = tokens.get();
    const headers = { accept: "application/json", ...request.headers, ...bearer(token) };
    const response = await fetch(`${origin}${path}`, {
      method,
      headers,
      body: body ?? null,
      signal: signal ?? null,
    }).catch((cause: unknown) => {
      if (signal?.aborted) throw cause;
      throw unreachableServer(cause);
    });
    // A token entered while this request was on its way answers the question already.
    if (response.status === 401 && tokens.get() === token) unauthorised();
    if (response.status >= 400) throw await refusal(response, `${method} ${path}`);
    return response;
  }

  /** A network that has gone without a word would else keep a reader waiting for as long as the system's own patience lasts. */
  async #read<T>(path: string, schema: z.ZodType<T>, given: AbortSignal | undefined): Promise<T> {
    const late = AbortSignal.timeout(this.#options.readMs ?? DEFAULT_READ_MS);
    const signal = given === undefined ? late : AbortSignal.any([given, late]);
    try {
      return await parsed(await this.request(path, { signal }), path, schema);
    } catch (thrown) {
      if (late.aborted && given?.aborted !== true && !(thrown instanceof ApiError)) throw unreachableServer(thrown);
      throw thrown;
    }
  }
}

function vinnsl(id: string): string {
  return `/vinnsl/${encodeURIComponent(id)}`;
}

function bearer(token: string | null): { authorization?: string } {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

async function parsed<T>(response: Response, path: string, schema: z.ZodType<T>): Promise<T> {
  const body: unknown = await response.json().catch((cause: unknown) => {
    if (cause instanceof SyntaxError) throw unreadable(path, "it is not JSON", cause);
    throw cause;
  });
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined ? "" : ` at ${issue.path.join(".") || "its root"}: ${issue.message}`;
  throw unreadable(path, `it has another shape than expected${where}`, result.error);
}

async function refusal(response: Response, request: string): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const known = ErrorResponseSchema.safeParse(body);
  if (known.success) return ApiError.of(response.status, known.data);
  const said = `${response.status} ${response.statusText}`.trim();
  return new ApiError({
    status: response.status,
    code: `HTTP_${response.status}`,
    message: `the server refused ${request}: ${said}`,
    path: null,
    line: null,
  });
}

function unreachableServer(cause: unknown): ApiError {
  const message = "the coordinator does not answer. Check that `ringstrasse serve` is running";
  return new ApiError({ status: 0, code: "UNREACHABLE", message, path: null, line: null }, { cause });
}

function unreadable(path: string, why: string, cause?: unknown): ApiError {
  const message = `the answer of ${path} can't be read: ${why}. Reload the page; the server may be of another version`;
  return new ApiError({ status: 200, code: "ANSWER_UNREADABLE", message, path: null, line: null }, { cause });
}
