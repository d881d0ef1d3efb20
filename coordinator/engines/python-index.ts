import { z } from "zod";

/** A file of a package, as an index lists it. */
export interface IndexedFile {
  readonly file: string;
  readonly url: string;
  /** `sha256-HEX`; null where the index doesn't tell. */
  readonly hash: string | null;
}

/** What to ask a Python index for: JSON where it can (PEP 691), else HTML (PEP 503). */
export const PYTHON_INDEX_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1";

const JsonIndexSchema = z.object({
  files: z.array(z.object({ filename: z.string(), url: z.string(), hashes: z.record(z.string(), z.string()) })),
});

/**
 * Reads a project's page of a Python package index ("simple" interface). What it is shows from its first character:
 * mirrors answer with
 * HTML where JSON was asked for, and with odd content types. Pure.
 * @param base the page's own address: links may be relative.
 * @returns null when it is neither.
 */
export function parsePythonIndex(text: string, base: string): IndexedFile[] | null {
  const start = text.trimStart().charAt(0);
  if (start === "{") return parseJson(text, base);
  return start === "<" ? parseHtml(text, base) : null;
}

function parseJson(text: string, base: string): IndexedFile[] | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return null;
    throw cause;
  }
  const parsed = JsonIndexSchema.safeParse(raw);
  if (!parsed.success) return null;
  return parsed.data.files.flatMap(({ filename, url, hashes }) => {
    const sha256 = hashes["sha256"];
    const hash = sha256 === undefined ? null : `sha256-${sha256.toLowerCase()}`;
    return URL.canParse(url, base) ? [{ file: filename, url: new URL(url, base).href, hash }] : [];
  });
}

const LINK = /<a\b[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>([^<]*)<\/a>/gi;

function parseHtml(text: string, base: string): IndexedFile[] {
  return [...text.matchAll(LINK)].flatMap(([, double, single, title = ""]) => {
    const href = decodeEntities(double ?? single ?? "");
    if (!URL.canParse(href, base)) return [];
    const url = new URL(href, base);
    const [, sha256] = /^#sha256=([0-9a-fA-F]{64})$/.exec(url.hash) ?? [];
    url.hash = "";
    const hash = sha256 === undefined ? null : `sha256-${sha256.toLowerCase()}`;
    return [{ file: decodeEntities(title).trim(), url: url.href, hash }];
  });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#43": "+" };

function decodeEntities(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39|#43);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
