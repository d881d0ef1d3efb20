import { HttpRefusal } from "../../../../coordinator/http/http-refusal.js";

/** The refusal that `work` ends with. @throws when it ends well, or with any other error: then the test fails. */
export function refusalOf(work: () => unknown): HttpRefusal {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof HttpRefusal) return thrown;
    throw thrown;
  }
  throw new Error("expected an HttpRefusal, but nothing was thrown");
}
