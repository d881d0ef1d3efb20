import { Packr } from "msgpackr";
import { z } from "zod";
import { RingstrasseError } from "../failure.js";
import {
  type CoordinatorBody,
  type FromCoordinator,
  FromCoordinatorSchema,
  type FromWorker,
  FromWorkerSchema,
  PROTOCOL_VERSION,
  type WorkerBody,
} from "./control-message.js";
import { isLifeSign } from "./sequence-check.js";

// Plain MessagePack (no record extension), so that the bytes don't depend on what was sent before.
const packr = new Packr({ useRecords: false });

const VersionSchema = z.object({ protocol: z.number(), kind: z.string() });

/** Gives a message its header. One per connection: it counts, as `SequenceCheck` wants it. */
export class MessageEncoder {
  #sequence = 0;

  encode(body: WorkerBody | CoordinatorBody): Uint8Array {
    const sequence = this.#sequence;
    if (!isLifeSign(body.kind)) this.#sequence += 1;
    return packr.pack({ ...body, protocol: PROTOCOL_VERSION, sequence });
  }
}

/** @throws RingstrasseError PROTOCOL_VIOLATION naming `from` and the field that is wrong. */
export function decodeFromWorker(bytes: Uint8Array, from: string): FromWorker {
  return decode(bytes, from, FromWorkerSchema);
}

/** @throws RingstrasseError PROTOCOL_VIOLATION naming `from` and the field that is wrong. */
export function decodeFromCoordinator(bytes: Uint8Array, from: string): FromCoordinator {
  return decode(bytes, from, FromCoordinatorSchema);
}

function decode<Message>(bytes: Uint8Array, from: string, schema: z.ZodType<Message>): Message {
  let raw: unknown;
  try {
    raw = packr.unpack(bytes);
  } catch (cause) {
    throw violation(from, `a message of ${bytes.byteLength} bytes is not MessagePack`, cause);
  }
  const version = VersionSchema.safeParse(raw);
  if (!version.success) throw violation(from, "a message has no protocol version or kind", version.error);
  if (version.data.protocol !== PROTOCOL_VERSION) {
    throw violation(
      from,
      `it speaks protocol ${version.data.protocol}, this side ${PROTOCOL_VERSION}: install the same version of ringstrasse on all hosts`,
    );
  }
  const message = schema.safeParse(raw);
  if (!message.success) {
    const issue = message.error.issues[0];
    const field = issue === undefined ? "" : ` (${issue.path.join(".")}: ${issue.message})`;
    throw violation(from, `message ${version.data.kind} does not have the agreed form${field}`, message.error);
  }
  return message.data;
}

function violation(from: string, problem: string, cause?: unknown): RingstrasseError {
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from, problem }, { cause });
}
