import type { MarkupVerdict } from "../stores/submission-check.js";

/** The browser's own parser on a document that is about to be sent: catches what is no XML at all. Null for an empty one. */
export function readMarkup(xml: string): MarkupVerdict | null {
  if (xml.trim() === "") return null;
  const parsed = new DOMParser().parseFromString(xml, "application/xml");
  const broken = parsed.getElementsByTagName("parsererror")[0];
  if (broken !== undefined) return verdictOf(broken);
  return {
    kind: "sound",
    root: parsed.documentElement.localName,
    hasDataReference: (parsed.getElementsByTagName("dataSchemaID")[0]?.textContent ?? "").trim() !== "",
  };
}

/** Every browser words it differently; all name the line. */
function verdictOf(broken: Element): MarkupVerdict {
  const said = broken.textContent ?? "";
  const line = /line(?: number)?:? (\d+)/i.exec(said)?.[1];
  const detail = /(?:column \d+: |error: )([^\n]+)/i.exec(said)?.[1] ?? "the document is not well-formed XML";
  return { kind: "broken", problem: detail.trim(), line: line === undefined ? null : Number(line) };
}
