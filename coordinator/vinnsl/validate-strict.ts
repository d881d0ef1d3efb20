import { readFile } from "node:fs/promises";
import type { XMLValidationError } from "xmllint-wasm";
import { memoryPages, validateXML } from "xmllint-wasm";
import { quote, unsupportedAt } from "./document-error.js";
import { readDocument } from "./read-document.js";
import type { XmlElement } from "./xml-element.js";

/** One breach of the published schemas. */
export interface StrictFinding {
  /** 1-based; null where the validator gives none. */
  readonly line: number | null;
  /** Null where the validator's line and element name don't tell. */
  readonly elementPath: string | null;
  readonly message: string;
}

/** Schema file by root element. */
const schemaByRoot: ReadonlyMap<string, string> = new Map([
  ["vinnsl", "vinnsl.xsd"],
  ["description", "description.xsd"],
  ["definition", "definition.xsd"],
  ["dataschema", "data.xsd"],
  ["instanceschema", "instance.xsd"],
  ["trainingresultschema", "training_res.xsd"],
  ["resultschema", "result.xsd"],
]);
/** What the validator knows the document as; its own name could be taken for an option. */
const documentName = "document.xml";
const sharedTypes = "VinnslType.xsd";
/** Enough for libxml2's tree of the largest document that is read, and its schema. */
const memorySizeMiB = 1024;

/**
 * Checks a document against the ViNNSL schema of its root element, in a thread of its own. An empty list means valid.
 * Nearly all documents in use break the schemas somewhere (see `readNetwork`, which is lenient about that).
 *
 * @throws RingstrasseError DOCUMENT_INVALID: refused before validation, as by {@link readDocument};
 *   DOCUMENT_UNSUPPORTED: a root element that no schema describes
 */
export async function validateStrict(bytes: Uint8Array, file: string | null): Promise<StrictFinding[]> {
  const root = readDocument(bytes, file);
  const schemaName = schemaByRoot.get(root.name);
  if (schemaName === undefined) {
    const supported = [...schemaByRoot.keys()].map((name) => `<${name}>`);
    throw unsupportedAt(root.place, `there is no schema for the root element ${quote(root.name)}`, supported);
  }
  const schemas = await Promise.all([...schemaByRoot.values(), sharedTypes].map(readSchema));
  const result = await validateXML({
    xml: { fileName: documentName, contents: bytes },
    schema: schemas.filter(({ fileName }) => fileName === schemaName),
    preload: schemas.filter(({ fileName }) => fileName !== schemaName),
    maxMemoryPages: memorySizeMiB * memoryPages.MiB,
  });
  if (result.valid) return [];
  const findings = describeFindings(root, result.errors);
  // An invalid document without a single finding would look valid.
  return findings.length > 0 ? findings : [{ line: null, elementPath: null, message: result.rawOutput.trim() }];
}

async function readSchema(fileName: string): Promise<{ fileName: string; contents: string }> {
  return { fileName, contents: await readFile(new URL(`./schemas/${fileName}`, import.meta.url), "utf8") };
}

/**
 * libxml2 says e.g. `Schemas validity error : Element 'size': '0' is not a valid value of the atomic type
 * 'minno1'.`
 */
function describeFindings(root: XmlElement, errors: readonly XMLValidationError[]): StrictFinding[] {
  const index = indexElements(root);
  const findings: StrictFinding[] = [];
  for (const { loc, message: raw } of errors) {
    const last = findings.at(-1);
    if (loc === null || loc.fileName !== documentName) {
      // A value with line breaks goes on over lines of its own.
      if (last !== undefined) findings.splice(-1, 1, { ...last, message: `${last.message} ${raw}` });
      continue;
    }
    const name = /Element '(?:\{[^}]*\})?([^']+)'/.exec(raw)?.[1] ?? "";
    const message = raw.replace(/^.*?validity error ?: ?/, "").replace(/\.$/, "");
    const elementPath = index.get(`${loc.lineNumber} ${name}`)?.place.elementPath ?? null;
    findings.push({ line: loc.lineNumber, elementPath, message });
  }
  return findings;
}

/** By `line name`; null where several elements of one name start on one line. */
type ElementIndex = ReadonlyMap<string, XmlElement | null>;

function indexElements(root: XmlElement): ElementIndex {
  const index = new Map<string, XmlElement | null>();
  const visit = (element: XmlElement): void => {
    const key = `${element.place.line} ${element.name}`;
    index.set(key, index.has(key) ? null : element);
    for (const child of element.children) visit(child);
  };
  visit(root);
  return index;
}
