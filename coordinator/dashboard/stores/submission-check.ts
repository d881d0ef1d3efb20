import { MAX_BODY_BYTES } from "../../../shared/api/max-body-bytes.js";

/** A file as far as it is judged before it is sent. */
export interface ChosenFile {
  readonly name: string;
  readonly size: number;
}

export interface Draft {
  readonly xml: string;
  readonly data: ChosenFile | null;
  readonly labels: ChosenFile | null;
}

/** What a parser made of the document: the name of its root, or what is wrong with it. */
export type MarkupVerdict =
  | { readonly kind: "sound"; readonly root: string; readonly hasDataReference: boolean }
  | { readonly kind: "broken"; readonly problem: string; readonly line: number | null };

export interface Finding {
  readonly about: "document" | "data" | "labels";
  /** An error keeps the form from being sent, a hint does not. */
  readonly weight: "error" | "hint";
  readonly text: string;
}

const DATA_NAME = /\.(csv|txt|data|idx|gz|ubyte)$|idx\d-ubyte/i;

/**
 * What can be said before anything is sent; the coordinator has the last word. Pure.
 * @param markup null while the document is empty
 */
export function checkDraft(draft: Draft, markup: MarkupVerdict | null): Finding[] {
  return [...documentFindings(draft, markup), ...dataFindings(draft), ...labelFindings(draft)];
}

function documentFindings(draft: Draft, markup: MarkupVerdict | null): Finding[] {
  const error = (text: string): Finding[] => [{ about: "document", weight: "error", text }];
  if (markup === null) return error("A ViNNSL document is needed: paste it, or choose a file");
  const bytes = new TextEncoder().encode(draft.xml).length;
  if (bytes > MAX_BODY_BYTES) return error(`The document has ${bytes} bytes; at most ${MAX_BODY_BYTES} are taken`);
  if (markup.kind === "broken") {
    const line = markup.line === null ? "" : `Line ${markup.line}: `;
    return error(`${line}${markup.problem}`);
  }
  if (markup.root !== "vinnsl" && markup.root !== "definition") {
    return error(`The root element is <${markup.root}>; a ViNNSL document has <vinnsl> or <definition>`);
  }
  if (draft.data === null && !markup.hasDataReference) {
    const text =
      "The document names no data (dataSchemaID), and no data file is chosen: the job can't train until it has one";
    return [{ about: "data", weight: "hint", text }];
  }
  return [];
}

function dataFindings({ data }: Draft): Finding[] {
  if (data === null) return [];
  if (data.size === 0) return [{ about: "data", weight: "error", text: `${data.name} is empty` }];
  if (DATA_NAME.test(data.name)) return [];
  const text = `${data.name} looks like neither a CSV nor an IDX file; the coordinator decides by its content`;
  return [{ about: "data", weight: "hint", text }];
}

function labelFindings({ data, labels }: Draft): Finding[] {
  if (labels === null) return [];
  if (labels.size === 0) return [{ about: "labels", weight: "error", text: `${labels.name} is empty` }];
  if (data === null) {
    const text = "Labels belong to an IDX images file: choose the data file as well";
    return [{ about: "labels", weight: "error", text }];
  }
  return [];
}
