import type { Readable } from "node:stream";
import type { MultipartFile } from "@fastify/multipart";
import type { FastifyRequest } from "fastify";
import { RingstrasseError } from "../../../shared/failure.js";
import type { FileStore } from "../../store/file-store.js";
import type { StoredFile } from "../../store/stored-file.js";
import { HttpRefusal } from "../http-refusal.js";

/** What a form may hold beside its file. */
const FORM_BYTES = 65_536;

/**
 * Stores the file of a form, in its field `file`. When it resolves, the whole form was there and the file is durable; when it rejects,
 * nothing of it is kept.
 * @throws HttpRefusal 400 (no such form), 413; RingstrasseError as `FileStore.add`
 */
export async function receiveUpload(request: FastifyRequest, files: FileStore): Promise<StoredFile> {
  checkLength(request, files);
  let stored: StoredFile | null = null;
  try {
    for await (const part of request.parts(formLimits(files))) {
      if (part.type === "file") stored = await storeFile(part, { request, files });
      else if (part.valueTruncated || part.fieldnameTruncated) throw formTooLarge(null);
    }
    if (request.raw.destroyed && !request.raw.complete) throw malformed("the connection broke");
  } catch (cause) {
    drain(request);
    if (stored !== null) await files.delete(stored.id);
    throw cause instanceof RingstrasseError || cause instanceof HttpRefusal ? cause : formRefusal(cause);
  }
  if (stored === null) throw malformed("the form has no file");
  return stored;
}

function formLimits({ limits }: FileStore) {
  // One byte more than allowed, so that the store is who refuses.
  return { limits: { files: 1, fields: 20, parts: 21, fieldSize: 4096, fileSize: limits.maxFileBytes + 1 } };
}

async function storeFile(
  part: MultipartFile,
  { request, files }: { readonly request: FastifyRequest; readonly files: FileStore },
): Promise<StoredFile> {
  if (part.fieldname !== "file")
    throw malformed(`the file is in the field ${JSON.stringify(part.fieldname.slice(0, 100))}`);
  if (part.filename === undefined || part.filename === "") throw malformed("the file has no name");
  const gone = new AbortController();
  const abort = () => {
    if (request.raw.complete) return;
    gone.abort(malformed("the connection broke"));
    part.file.destroy(malformed("the connection broke"));
  };
  request.raw.once("close", abort);
  try {
    const about = { name: part.filename, contentType: part.mimetype, signal: gone.signal };
    return await files.add(contentOf(part.file), about);
  } finally {
    request.raw.off("close", abort);
  }
}

async function* contentOf(file: Readable): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const piece of file) yield piece;
  } catch (cause) {
    throw formRefusal(cause);
  }
}

function checkLength({ headers }: FastifyRequest, { limits }: FileStore): void {
  if (Number(headers["content-length"] ?? 0) > limits.maxFileBytes + FORM_BYTES)
    throw formTooLarge(limits.maxFileBytes);
}

/** The form's reader has stopped: what still comes is dropped, so that the client hears the answer. */
function drain({ raw }: FastifyRequest): void {
  raw.unpipe();
  raw.resume();
}

/** The form reader's own errors: they are the client's. */
function formRefusal(cause: unknown): HttpRefusal {
  if (cause instanceof HttpRefusal) return cause;
  const isLimit = cause instanceof Error && "statusCode" in cause && cause.statusCode === 413;
  if (isLimit) return formTooLarge(null, cause);
  return malformed(
    cause instanceof Error ? `the form can't be read (${cause.message})` : "the form can't be read",
    cause,
  );
}

function formTooLarge(maxFileBytes: number | null, cause?: unknown): HttpRefusal {
  const problem =
    maxFileBytes === null
      ? "the form holds more than one file, many fields, or long ones"
      : `the form is larger than the ${maxFileBytes} bytes that one file may have`;
  const remedy = "Send one file in the field file, and nothing else";
  return new HttpRefusal({ status: 413, code: "PAYLOAD_TOO_LARGE", problem, remedy }, { cause });
}

function malformed(problem: string, cause?: unknown): HttpRefusal {
  const remedy = "Send multipart/form-data with one file in the field file, with its name";
  return new HttpRefusal({ status: 400, code: "BAD_REQUEST", problem, remedy }, { cause });
}
