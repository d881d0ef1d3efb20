import { readFile } from "node:fs/promises";

/** A document that can be trained, as clients send it. */
export function irisDocument(): Promise<Buffer> {
  return readFile(new URL("../../../../examples/iris/iris.xml", import.meta.url));
}

export const XML = { "content-type": "application/xml" };
export const JSON_TYPE = { "content-type": "application/json" };
