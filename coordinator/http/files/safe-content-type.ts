/** Types in which nothing can hide that a browser would run. */
const SAFE_TYPES: ReadonlySet<string> = new Set([
  "application/json",
  "application/gzip",
  "application/octet-stream",
  "application/zip",
  "image/gif",
  "image/jpeg",
  "image/png",
  "image/webp",
]);

/**
 * The type under which a user's file is given out: what it was sent as if that is harmless, plain text for any other text and for XML,
 * else just bytes. Pure.
 */
export function safeContentType(contentType: string): string {
  const [type = ""] = contentType.toLowerCase().split(";");
  const name = type.trim();
  if (SAFE_TYPES.has(name)) return name;
  if (name === "text/csv") return "text/csv; charset=utf-8";
  const isText = name.startsWith("text/") || /^[a-z]+\/(?:[^/]+\+)?xml$/.test(name);
  return isText ? "text/plain; charset=utf-8" : "application/octet-stream";
}
