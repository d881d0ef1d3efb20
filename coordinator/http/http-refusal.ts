/** What HTTP itself has a word for; everything else is a `RingstrasseError`. */
export type RefusalCode =
  | "BAD_REQUEST"
  | "UNAUTHORISED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "METHOD_NOT_ALLOWED"
  | "NOT_ACCEPTABLE"
  | "REQUEST_TIMEOUT"
  | "PAYLOAD_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "RANGE_NOT_SATISFIABLE"
  | "HEADERS_TOO_LARGE"
  | "TOO_MANY_STREAMS"
  | "TOO_MANY_EVALUATIONS";

export interface Refusal {
  /** 400 to 599. */
  readonly status: number;
  readonly code: RefusalCode;
  readonly problem: string;
  readonly remedy: string;
  /** Headers that belong to this status, in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is refused as HTTP, not as a document, job or file. Thrown by hooks and handlers; the app makes the answer of it. */
export class HttpRefusal extends Error {
  override readonly name = "HttpRefusal";
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(`${refusal.problem}. ${refusal.remedy}`, options);
    this.refusal = refusal;
  }
}
