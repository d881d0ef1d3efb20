const nameStart =
  "A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF" +
  "\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}";
const nameRest = `${nameStart}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040`;
const localName = `[${nameStart}][${nameRest}]*`;
const elementPattern = new RegExp(`^${localName}$`, "u");
const attributePattern = new RegExp(`^${localName}(?::${localName})?$`, "u");

/** Names that would reach behind an object in a client that copies keys without care (prototype pollution). */
const refusedNames: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"]);

/** Whether a name is refused although XML and JSON allow it. */
export function isRefusedName(name: string): boolean {
  return refusedNames.has(name);
}

/** A name without prefix (XML 1.0, production 5, without colons). */
export function isElementName(name: string): boolean {
  return elementPattern.test(name);
}

/** A name with or without prefix. */
export function isAttributeName(name: string): boolean {
  return attributePattern.test(name);
}

/** The first character that XML can't hold, as `U+…`; null: there is none. */
export function strangeCharacter(text: string): string | null {
  const strange = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.exec(text);
  if (strange === null) return null;
  return `U+${(strange[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
