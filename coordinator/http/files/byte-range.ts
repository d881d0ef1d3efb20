import type { ByteRange } from "../../store/file-store.js";

/**
 * The bytes that a `Range` header asks for of a file of `sizeBytes`: null means all (there is no header, or one that need not be
 * understood: other units, several ranges), `unsatisfiable` that there are no such bytes. Pure. Source: RFC 9110 §14.
 */
export function readByteRange(header: string | undefined, sizeBytes: number): ByteRange | null | "unsatisfiable" {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? "");
  if (match === null) return null;
  const [, from = "", to = ""] = match;
  if (from === "") {
    if (to === "") return null;
    const count = Math.min(Number(to), sizeBytes);
    return count === 0 ? "unsatisfiable" : { first: sizeBytes - count, last: sizeBytes - 1 };
  }
  const first = Number(from);
  if (to !== "" && Number(to) < first) return null;
  if (first >= sizeBytes) return "unsatisfiable";
  return { first, last: to === "" ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1) };
}
