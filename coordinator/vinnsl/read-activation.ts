import type { Activation } from "../../shared/model-spec.js";
import { ActivationSchema } from "../../shared/model-spec.js";
import { quote, unsupportedAt } from "./document-error.js";
import { foldName } from "./element-rule.js";
import type { NamedValue } from "./named-values.js";
import type { XmlElement } from "./xml-element.js";

/** Whether a parameter is an activation function; `ativationfunction` stands in a published sample. */
export function isActivation(value: NamedValue): boolean {
  return value.key === "activationfunction" || value.key === "ativationfunction" || value.key === "activation";
}

/**
 * The element's text as an activation, in any case.
 *
 * @throws RingstrasseError DOCUMENT_UNSUPPORTED
 */
export function readActivation(element: XmlElement): Activation {
  const parsed = ActivationSchema.safeParse(foldName(element.text));
  if (parsed.success) return parsed.data;
  throw unsupportedAt(element.place, `unknown activation ${quote(element.text)}`, ActivationSchema.options);
}
