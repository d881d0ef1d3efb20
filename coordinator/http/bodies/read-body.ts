import type { Readable } from "node:stream";
import { HttpRefusal } from "../http-refusal.js";

export interface BodyLimits {
  readonly bodyBytes: number;
  readonly bodyTimeoutMs: number;
}

/**
 * A whole body, as it came. What it refuses it does not keep: the rest of the body is read and dropped, so that the client hears the
 * answer.
 * @throws HttpRefusal 413 larger than allowed, 408 slower than allowed, 400 when the client gave up
 */
export function readBody(body: Readable, limits: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let sizeBytes = 0;
    const end = (settle: () => void) => {
      clearTimeout(timer);
      body.off("data", onData).off("end", onEnd).off("error", onBroken).off("close", onBroken);
      body.on("error", () => undefined).resume();
      settle();
    };
    const onData = (piece: Buffer) => {
      sizeBytes += piece.length;
      if (sizeBytes > limits.bodyBytes) end(() => reject(tooLarge(limits.bodyBytes)));
      else pieces.push(piece);
    };
    const onEnd = () => end(() => resolve(Buffer.concat(pieces)));
    const onBroken = (cause?: Error) => end(() => reject(broken(cause)));
    const timer = setTimeout(() => end(() => reject(tooSlow(limits.bodyTimeoutMs))), limits.bodyTimeoutMs);
    body.on("data", onData).on("end", onEnd).on("error", onBroken).on("close", onBroken);
  });
}

/** A body that is larger than a route takes. */
export function tooLarge(limitBytes: number): HttpRefusal {
  const problem = `the body is larger than the ${limitBytes} bytes that this route takes`;
  const remedy = "Send a smaller one; data and weights belong into files, which go to /storage";
  return new HttpRefusal({ status: 413, code: "PAYLOAD_TOO_LARGE", problem, remedy });
}

function tooSlow(timeoutMs: number): HttpRefusal {
  const problem = `the body has not arrived within ${timeoutMs} ms`;
  const headers = { connection: "close" };
  return new HttpRefusal({ status: 408, code: "REQUEST_TIMEOUT", problem, remedy: "Send it again", headers });
}

function broken(cause: Error | undefined): HttpRefusal {
  const problem = "the connection broke before the whole body had arrived";
  return new HttpRefusal({ status: 400, code: "BAD_REQUEST", problem, remedy: "Send it again" }, { cause });
}
