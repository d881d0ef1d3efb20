import { RingstrasseError } from "../../shared/failure.js";

/** Two choices that can't be had together. */
export interface RefusedPair {
  /** As options say them, e.g. `--compress topk with --collective`, and the latter's value. */
  readonly option: string;
  readonly value: string;
  /** Other values of the latter. */
  readonly supported: readonly string[];
  readonly remedy: string;
  /** As the document says them. */
  readonly element: ElementOfPair;
}

export interface ElementOfPair {
  /** The document; null when it came from elsewhere. */
  readonly file: string | null;
  /** Of the choice that has to go; null: an option has made one of the two. */
  readonly path: string | null;
  readonly problem: string;
  readonly supported: readonly string[];
}

/** DOCUMENT_UNSUPPORTED with the element where the document alone asks for both; else CHOICE_UNSUPPORTED with the options. Pure. */
export function refusedPair({ element, option, value, supported, remedy }: RefusedPair): RingstrasseError {
  if (element.path === null) {
    return new RingstrasseError({ code: "CHOICE_UNSUPPORTED", option, value, supported: [...supported], remedy });
  }
  return new RingstrasseError({
    code: "DOCUMENT_UNSUPPORTED",
    file: element.file,
    line: null,
    column: null,
    elementPath: element.path,
    problem: element.problem,
    supported: [...element.supported],
  });
}
