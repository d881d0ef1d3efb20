import { RingstrasseError } from "../../shared/failure.js";
import type { JobDocument, MetricRow } from "./job-record.js";
import type { Cursor, RunOutcome, RunPosition } from "./job-store.js";

const MiB = 2 ** 20;
/** The largest document that is read at all. */
export const MAX_XML_BYTES = 16 * MiB;
/** Room for the same document with every element spelt out, and for the schemas that training attaches. */
export const MAX_JSON_BYTES = 64 * MiB;
const MAX_PRIORITY = 1000;

/** A document's texts as they are stored. @throws RingstrasseError QUOTA_EXCEEDED, DOCUMENT_INVALID */
export function encodeDocument({ json, xml }: JobDocument): {
  readonly json: Uint8Array;
  readonly xml: Uint8Array | null;
} {
  return {
    json: encodeText(json, "JSON object", MAX_JSON_BYTES),
    xml: xml === null ? null : encodeText(xml, "XML document", MAX_XML_BYTES),
  };
}

/** @throws RingstrasseError QUOTA_EXCEEDED, DOCUMENT_INVALID */
export function encodeDl4j(text: string): Uint8Array {
  return encodeText(text, "DL4J configuration", MAX_XML_BYTES);
}

function encodeText(text: string, what: string, limitBytes: number): Uint8Array {
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > limitBytes) {
    const problem = `the ${what} is ${sizeBytes} bytes long, ${sizeBytes - limitBytes} more than are kept`;
    const remedy = `Send at most ${limitBytes} bytes; weights and rows belong into files`;
    throw new RingstrasseError({ code: "QUOTA_EXCEEDED", quota: "document", limitBytes, problem, remedy });
  }
  const bytes = Buffer.from(text);
  // Half of a surrogate pair would come back as another character.
  if (bytes.toString() !== text) {
    const place = { file: null, line: null, column: null, elementPath: null };
    const problem = `the ${what} holds half of a surrogate pair, which is no Unicode character`;
    throw new RingstrasseError({ code: "DOCUMENT_INVALID", ...place, problem, remedy: "Remove or complete it" });
  }
  return bytes;
}

/** @throws RingstrasseError USAGE */
export function checkPriority(priority: number): number {
  if (!Number.isInteger(priority) || Math.abs(priority) > MAX_PRIORITY) {
    throw usage(
      "priority",
      `${priority} is no priority`,
      `Give a whole number from ${-MAX_PRIORITY} to ${MAX_PRIORITY}`,
    );
  }
  return priority;
}

/** @throws RingstrasseError USAGE */
export function checkLimit(limit: number, max: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > max) {
    throw usage("limit", `${limit} is no number of rows`, `Give a whole number from 1 to ${max}`);
  }
  return limit;
}

/** The number after which a list goes on; null: it begins. @throws RingstrasseError USAGE */
export function readCursor(cursor: Cursor | null | undefined): number | null {
  if (cursor === null || cursor === undefined) return null;
  if (!/^[1-9][0-9]{0,14}$/.test(cursor)) {
    throw usage("cursor", `"${cursor}" is no cursor`, "Give the cursor that came with the previous page, or none");
  }
  return Number(cursor);
}

/** A whole number from 0 on, by its name in the call. @throws RingstrasseError USAGE */
export function checkWhole(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw usage(name, `${value} is not a whole number from 0 on`, "Give 0, 1, 2, …");
  }
  return value;
}

/** A copy that the caller can't change any more. @throws RingstrasseError USAGE */
export function checkPosition({ epoch, step }: RunPosition): RunPosition {
  return { epoch: checkWhole("epoch", epoch), step: checkWhole("step", step) };
}

/** A name of a metric or of a kind of event: a word that needs no quoting anywhere. @throws RingstrasseError USAGE */
export function checkName(of: string, name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(name)) {
    throw usage(of, `"${name}" is no name of a ${of}`, "Use up to 64 letters, digits, _ . and -, a letter first");
  }
  return name;
}

/** @throws RingstrasseError USAGE */
export function checkMetricRows(rows: readonly MetricRow[]): void {
  for (const { epoch, step, at, values } of rows) {
    for (const name of Object.keys(values)) checkName("metric", name);
    checkWhole("epoch", epoch);
    checkWhole("step", step);
    checkWhole("at", at);
  }
}

/** A copy that the caller can't change any more. */
export function copyOutcome({ result, modelFileIds }: RunOutcome): RunOutcome {
  return { result: structuredClone(result), modelFileIds: [...modelFileIds] };
}

export function usage(option: string, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "USAGE", option, problem, remedy });
}
