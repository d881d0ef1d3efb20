import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/** For what a client has still under way when it is refused. */
const LINGER_MS = 2000;

/**
 * The body of an answer to a request that has not arrived as a whole: all of it at once, and its end when the request has ended, or two
 * seconds later. A connection that is closed while the client sends is reset by the kernel, and a reset may overtake the answer (RFC
 * 9112, section 9.6). What still comes is dropped.
 */
export function lingeringAnswer(body: Buffer, request: IncomingMessage): Readable {
  return Readable.from(bodyThenEnd(body, request), { objectMode: false });
}

async function* bodyThenEnd(body: Buffer, request: IncomingMessage): AsyncGenerator<Buffer, void> {
  yield body;
  if (request.complete || request.destroyed) return;
  await new Promise<void>((resolve) => {
    const late = setTimeout(resolve, LINGER_MS);
    const over = (): void => {
      clearTimeout(late);
      resolve();
    };
    request.once("end", over).once("close", over);
    // The answer is sent already: a client that goes away now has it or doesn't want it, and "close" follows.
    request.on("error", () => undefined).resume();
  });
}
