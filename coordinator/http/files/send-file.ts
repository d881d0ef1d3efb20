import type { FastifyReply, FastifyRequest } from "fastify";
import type { FileStore } from "../../store/file-store.js";
import type { StoredFile } from "../../store/stored-file.js";
import { HttpRefusal } from "../http-refusal.js";
import { noBytes } from "../no-bytes.js";
import { USER_FILE_POLICY } from "../security-headers.js";
import { readByteRange } from "./byte-range.js";
import { contentDisposition } from "./content-disposition.js";
import { safeContentType } from "./safe-content-type.js";

export interface FileDelivery {
  readonly files: FileStore;
  readonly file: StoredFile;
  /** To be saved, not shown. */
  readonly isDownload: boolean;
}

/**
 * Answers with a stored file or the range of it that was asked for; with 304 when the client has it already. Memory stays flat.
 * Source: RFC 9110 §13 and §14. @throws HttpRefusal 416; RingstrasseError NOT_FOUND, STORE_DAMAGED
 */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { files, file, isDownload }: FileDelivery,
): Promise<FastifyReply> {
  const tag = `"${file.sha256}"`;
  void reply.headers({
    etag: tag,
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    "content-security-policy": USER_FILE_POLICY,
  });
  if (namesTag(request.headers["if-none-match"], tag)) return reply.code(304).send();
  const range = wantedRange(request, file, tag);
  void reply.headers({
    "content-type": safeContentType(file.contentType),
    "content-disposition": contentDisposition(isDownload ? "attachment" : "inline", file.name),
    "content-length": String(range === null ? file.sizeBytes : range.last - range.first + 1),
  });
  if (range !== null) {
    void reply.code(206).header("content-range", `bytes ${range.first}-${range.last}/${file.sizeBytes}`);
  }
  if (request.method === "HEAD") return reply.send(noBytes());
  return reply.send(await files.read(file, range ?? undefined));
}

function wantedRange({ method, headers }: FastifyRequest, file: StoredFile, tag: string) {
  const condition = headers["if-range"];
  if (method === "HEAD" || (condition !== undefined && condition !== tag)) return null;
  const range = readByteRange(headers.range, file.sizeBytes);
  if (range !== "unsatisfiable") return range;
  throw new HttpRefusal({
    status: 416,
    code: "RANGE_NOT_SATISFIABLE",
    problem: `the file has ${file.sizeBytes} bytes, and none of those that were asked for`,
    remedy: "Ask for bytes within the file",
    headers: { "content-range": `bytes */${file.sizeBytes}` },
  });
}

/** Weak comparison: contents are told apart by their hashes either way. */
function namesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(",").map((each) => each.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(tag);
}
