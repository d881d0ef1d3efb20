import { Readable } from "node:stream";

/** What HEAD answers where GET would stream: for anything but a stream the HTTP library would set a content length of its own. */
export function noBytes(): Readable {
  return Readable.from([]);
}
