import { RingstrasseError } from "../../shared/failure.js";

/** Refuses several threads with wasm: they would be ignored. */
export function oneThreadOnly(threads: number): RingstrasseError {
  return new RingstrasseError({
    code: "CHOICE_UNSUPPORTED",
    option: "--threads",
    value: String(threads),
    supported: ["1"],
    remedy: "The engine wasm computes with one thread: use --engine tensorflow for more",
  });
}
