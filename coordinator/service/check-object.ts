import { type Failure, RingstrasseError } from "../../shared/failure.js";
import { DEFAULT_CHECKPOINT_MINUTES } from "../cli/serve-options.js";
import type { TrainOptions } from "../cli/train-options.js";
import { type ReadJob, readJob } from "../job/plan-run.js";
import { MAX_JSON_BYTES } from "../store/check-arguments.js";
import { checkDescription } from "../vinnsl/check-description.js";
import { childOf } from "../vinnsl/element-rule.js";
import { type childElements, textAt } from "../vinnsl/object/object-element.js";
import { parseVinnslJson } from "../vinnsl/object/parse-vinnsl-json.js";
import { parseVinnslXml } from "../vinnsl/object/parse-vinnsl-xml.js";
import { toVinnslJson } from "../vinnsl/object/to-vinnsl-json.js";
import { toVinnslXml } from "../vinnsl/object/to-vinnsl-xml.js";
import { PART_ALIASES, partOf, type VinnslObject } from "../vinnsl/object/vinnsl-object.js";
import { readDocument } from "../vinnsl/read-document.js";
import { fittingOptions } from "./fitting-options.js";
import type { DocumentBody } from "./job-service.js";

/** Parts that say nothing of what is to be trained. */
const RESULT_NAMES = (["instance", "trainingresult", "result"] as const).flatMap((part) => PART_ALIASES[part]);

/** A job under the service's options, as far as it can have them. */
export interface ServiceJob extends ReadJob {
  /** What of them it can't have, for people; null: it has them all. */
  readonly remark: string | null;
}

/** @throws RingstrasseError DOCUMENT_INVALID, DOCUMENT_UNSUPPORTED */
export function objectOf({ format, bytes }: DocumentBody): VinnslObject {
  return format === "xml" ? parseVinnslXml(bytes) : parseVinnslJson(bytes);
}

/** The text that a store keeps; {@link decodeObject} gives the same object back. */
export function encodeObject(object: VinnslObject): string {
  return JSON.stringify(toVinnslJson(object, null));
}

export function decodeObject(json: string): VinnslObject {
  return parseVinnslJson(Buffer.from(json), { maxSizeBytes: MAX_JSON_BYTES });
}

/** The document's own name for the network. */
export function titleOf(object: VinnslObject): string | null {
  const [description, definition] = [partOf(object, "description"), partOf(object, "definition")];
  return textAt(description, "metadata", "name") ?? textAt(definition, "metadata", "name");
}

/**
 * Reads an object as training would; null: it has no definition yet. Pure.
 * @param body the object as it came, whose lines errors then name
 * @throws RingstrasseError DOCUMENT_INVALID, DOCUMENT_UNSUPPORTED with the element path; USAGE when the service's own options
 *   contradict the document
 */
export function readObject(object: VinnslObject, options: TrainOptions, body?: DocumentBody): ServiceJob | null {
  const asItCame = body?.format === "xml" ? body.bytes : null;
  const bytes = asItCame ?? trainingDocument(object);
  try {
    if (partOf(object, "definition") === undefined) {
      const root = readDocument(bytes, null);
      const description = root.name === "description" ? root : childOf(root, "description");
      if (description !== undefined) checkDescription(description);
      return null;
    }
    return { ...jobOf(bytes, options), object };
  } catch (thrown) {
    throw thrown instanceof RingstrasseError ? refusal(thrown, asItCame !== null) : thrown;
  }
}

/** As {@link readObject}, of an object that is to be trained. @throws RingstrasseError DOCUMENT_INVALID: no definition; as there */
export function readTrainable(object: VinnslObject, options: TrainOptions): ServiceJob {
  const job = readObject(object, options);
  if (job !== null) return job;
  const place = { file: null, line: null, column: null, elementPath: "/vinnsl" };
  const problem = "the object has no definition, so there is nothing to train";
  const remedy = "Give it one, by PUT /vinnsl/{id}/definition";
  throw new RingstrasseError({ code: "DOCUMENT_INVALID", ...place, problem, remedy });
}

/** The strategy decides what fits, and nothing that is read here depends on when checkpoints are taken. */
function jobOf(bytes: Uint8Array, options: TrainOptions): ServiceJob {
  const { "checkpoint-steps": _, ...others } = options;
  const job = readJob({ bytes, file: null, options: others, sources: {} });
  return { ...job, ...fittingOptions(options, job.settings.step.strategy.value, DEFAULT_CHECKPOINT_MINUTES) };
}

/** The object as a document that `ringstrasse train` takes: all of it but what earlier runs have left. */
export function trainingDocument(object: VinnslObject): Uint8Array {
  return Buffer.from(toVinnslXml(withoutResults(object)), "utf8");
}

function withoutResults({ root }: VinnslObject): VinnslObject {
  const isResult = (piece: string | ReturnType<typeof childElements>[number]) =>
    typeof piece !== "string" && RESULT_NAMES.includes(piece.name);
  return { root: { ...root, content: root.content.filter((piece) => !isResult(piece)) } };
}

/** The same refusal in the words of the service: with places of the text that the client sent, or none. */
function refusal(error: RingstrasseError, hasLines: boolean): RingstrasseError {
  const failure = ofElement(error.failure);
  const isPlaced = failure.code === "DOCUMENT_INVALID" || failure.code === "DOCUMENT_UNSUPPORTED";
  const told = isPlaced && !hasLines ? { ...failure, line: null, column: null } : failure;
  return told === error.failure ? error : new RingstrasseError(told, { cause: error });
}

/** A choice that the document made is a matter of the document. */
function ofElement(failure: Failure): Failure {
  if (failure.code !== "CHOICE_UNSUPPORTED" || !failure.option.startsWith("/")) return failure;
  const { option, value, supported } = failure;
  const place = { file: null, line: null, column: null, elementPath: option };
  return { code: "DOCUMENT_UNSUPPORTED", ...place, problem: `${value} is not available here`, supported };
}
