import { RingstrasseError } from "./failure.js";
import type { Precision } from "./step-rules.js";

/** Refuses products in another precision with wasm, which has float32 alone. @param option that asked for it, or the element, for the message */
export function float32Only(precision: Precision, option = "--precision"): RingstrasseError {
  return new RingstrasseError({
    code: "CHOICE_UNSUPPORTED",
    option,
    value: precision,
    supported: ["float32"],
    remedy:
      "The engine wasm computes in float32: use --engine tensorflow, which ringstrasse engine install cpu fetches",
  });
}
