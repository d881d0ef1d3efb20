import type { Failure, FailureCode } from "../../shared/failure.js";
import { failureOf } from "./failure-of.js";

/** The failure of code `code` that `work` ends with, typed. @throws when it ends well, or in any other way: then the test fails. */
export async function failureWithCode<Code extends FailureCode>(
  code: Code,
  work: () => unknown,
): Promise<Extract<Failure, { code: Code }>> {
  const failure = await failureOf(work);
  if (failure.code !== code) throw new Error(`expected ${code}, but got ${failure.code}: ${failure.message}`);
  return failure as Extract<Failure, { code: Code }>;
}
