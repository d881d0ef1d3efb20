import { type Failure, RingstrasseError } from "../../shared/failure.js";

/** The failure that `work` ends with. @throws when it ends well, or with any other error: then the test fails. */
export async function failureOf(work: () => unknown): Promise<Failure & { readonly message: string }> {
  try {
    await work();
  } catch (thrown) {
    if (thrown instanceof RingstrasseError) return { ...thrown.failure, message: thrown.message };
    throw thrown;
  }
  throw new Error("expected a RingstrasseError, but nothing was thrown");
}
