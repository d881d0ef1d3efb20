import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Brand, JobId } from "../../shared/ids.js";

/** Names a stored file; many ids may share one content. */
export type FileId = Brand<string, "FileId">;

export const FileIdSchema = z
  .string()
  .regex(/^[0-9a-f]{24}$/)
  .transform((value) => value as FileId);

/** A new job id: 24 lower-case hexadecimal digits, as the existing stack's clients expect. */
export function newJobId(nowMs: number): JobId {
  return newObjectId(nowMs) as JobId;
}

export function newFileId(nowMs: number): FileId {
  return newObjectId(nowMs) as FileId;
}

/** Four bytes of seconds, as in the ids that existing clients sort by, then eight random ones. */
function newObjectId(nowMs: number): string {
  const bytes = randomBytes(12);
  bytes.writeUInt32BE(Math.floor(nowMs / 1000) % 2 ** 32);
  return bytes.toString("hex");
}
