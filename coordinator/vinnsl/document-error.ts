import { RingstrasseError } from "../../shared/failure.js";
import type { DocumentPlace } from "./xml-element.js";

/** A `DOCUMENT_INVALID` error at a place: the document breaks a rule of the format. */
export function invalidAt(place: DocumentPlace, problem: string, remedy: string, cause?: unknown): RingstrasseError {
  const { file, line, column, elementPath } = place;
  return new RingstrasseError(
    { code: "DOCUMENT_INVALID", file, line, column, elementPath, problem, remedy },
    cause === undefined ? undefined : { cause },
  );
}

/** A `DOCUMENT_UNSUPPORTED` error at a place: the document asks for something that can't be done here. */
export function unsupportedAt(place: DocumentPlace, problem: string, supported: readonly string[]): RingstrasseError {
  const { file, line, column, elementPath } = place;
  return new RingstrasseError({
    code: "DOCUMENT_UNSUPPORTED",
    file,
    line,
    column,
    elementPath,
    problem,
    supported: [...supported],
  });
}

const quotedLength = 60;

/** Text of a document for a message: in quotation marks, blanks folded, cut where it is long. */
export function quote(text: string): string {
  const folded = text.replace(/\s+/g, " ");
  return `"${folded.length > quotedLength ? `${folded.slice(0, quotedLength)}…` : folded}"`;
}
