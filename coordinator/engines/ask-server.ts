import { engineUnavailable } from "./engine-failure.js";
import { describeNetworkError, type HttpClient, type HttpResponse, isCertificateError } from "./http-client.js";
import { TransientFailure } from "./transient-failures.js";

export interface Question {
  /** For messages. */
  readonly engine: string;
  readonly http: HttpClient;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly authorization: string | null;
  /** How to reach another server, for messages. */
  readonly mirrorHint: string;
  readonly signal: AbortSignal;
}

const TRY_LATER = new Set([408, 421, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524]);

/**
 * One GET request.
 * @param expected statuses that are answers; the body of any other is let go.
 * @throws TransientFailure when asking again may help; RingstrasseError ENGINE_UNAVAILABLE when it doesn't
 */
export async function askServer(question: Question, expected: readonly number[]): Promise<HttpResponse> {
  const { engine, http, url, headers, authorization, mirrorHint, signal } = question;
  const response = await http
    .get(url, { headers: authorization === null ? headers : { ...headers, authorization }, signal })
    .catch((cause: unknown) => {
      signal.throwIfAborted();
      throw unreachable(question, cause);
    });
  if (expected.includes(response.status)) return response;
  await response.discard();
  const problem = `${url} answered with status ${response.status}`;
  if (TRY_LATER.has(response.status)) throw new TransientFailure(problem, { waitMs: retryAfterMs(response) });
  const refused = response.status === 401 || response.status === 403 || response.status === 407;
  const remedy = refused ? `Check the user and password or token for it; ${mirrorHint}` : capitalised(mirrorHint);
  throw engineUnavailable({ engine, problem, remedy });
}

function unreachable({ engine, url }: Question, cause: unknown): Error {
  const problem = `${url} can't be reached (${describeNetworkError(cause)})`;
  if (!isCertificateError(cause)) return new TransientFailure(problem, { cause });
  const remedy =
    "If a proxy of your site stands in between, name its certificate authority in NODE_EXTRA_CA_CERTS (a PEM file)";
  return engineUnavailable({ engine, problem, remedy }, cause);
}

/** Seconds or a date. */
function retryAfterMs(response: HttpResponse): number | null {
  const value = response.header("retry-after");
  if (value === null) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
