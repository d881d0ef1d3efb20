import type { Failure } from "../../../../shared/failure.js";
import { RingstrasseError } from "../../../../shared/failure.js";

/** The failure that `run` throws; any other outcome fails the test. */
export function failureOf(run: () => unknown): Failure {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof RingstrasseError) return thrown.failure;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}

/** As {@link failureOf}, for a promise. */
export async function failureOfAsync(promise: Promise<unknown>): Promise<Failure> {
  const outcome = await promise.then(
    () => new Error("nothing was thrown"),
    (thrown: unknown) => thrown,
  );
  if (outcome instanceof RingstrasseError) return outcome.failure;
  throw outcome;
}
