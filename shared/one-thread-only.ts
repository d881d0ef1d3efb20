import { RingstrasseError } from "./failure.js";

/** Refuses several threads with wasm: they would be ignored. @param option that asked for them, or the element, for the message */
export function oneThreadOnly(threads: number, option = "--threads"): RingstrasseError {
  return new RingstrasseError({
    code: "CHOICE_UNSUPPORTED",
    option,
    value: String(threads),
    supported: ["1"],
    remedy: "The engine wasm computes with one thread: use --engine tensorflow for more",
  });
}
