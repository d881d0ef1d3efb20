const predefined: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const reference = /&(?:(amp|lt|gt|quot|apos)|#([0-9]+)|#x([0-9A-Fa-f]+));/g;

/**
 * Decodes the five predefined entities and numeric character references, once. Everything else stays as it is; whether
 * a reference is allowed at all is {@link badReference}'s question.
 */
export function decodeReferences(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(reference, (whole, name?: string, decimal?: string, hexadecimal?: string) => {
    if (name !== undefined) return predefined[name] ?? whole;
    const code = codePointOf(decimal, hexadecimal);
    return isXmlCharacter(code) ? String.fromCodePoint(code) : whole;
  });
}

/** Offset of the first `&` in `text` that starts none of the references above; −1 when all are fine. */
export function badReference(text: string): number {
  const allowed = new RegExp(reference.source, "y");
  for (let at = text.indexOf("&"); at !== -1; at = text.indexOf("&", at + 1)) {
    allowed.lastIndex = at;
    const match = allowed.exec(text);
    if (match === null) return at;
    if (match[1] === undefined && !isXmlCharacter(codePointOf(match[2], match[3]))) return at;
  }
  return -1;
}

function codePointOf(decimal: string | undefined, hexadecimal: string | undefined): number {
  return decimal === undefined ? Number.parseInt(hexadecimal ?? "", 16) : Number.parseInt(decimal, 10);
}

/** XML 1.0, production 2 (Char). */
function isXmlCharacter(code: number): boolean {
  if (code === 0x9 || code === 0xa || code === 0xd) return true;
  return (
    (code >= 0x20 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)
  );
}
