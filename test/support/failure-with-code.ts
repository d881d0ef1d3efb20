import type { Failure, FailureCode } from "../../shared/failure.js";
import { failureOf } from "./failure-of.js";

type FailureWithCode<Code extends FailureCode> = Extract<Failure, { code: Code }>;

/** The failure of code `code` that `work` ends with, typed. @throws when it ends well, or in any other way: then the test fails. */
export async function failureWithCode<Code extends FailureCode>(
  code: Code,
  work: () => unknown,
): Promise<FailureWithCode<Code>> {
  const { message, ...failure } = await failureOf(work);
  if (hasCode(failure, code)) return failure;
  throw new Error(`expected ${code}, but got ${failure.code}: ${message}`);
}

function hasCode<Code extends FailureCode>(
  failure: { readonly code: FailureCode },
  code: Code,
): failure is FailureWithCode<Code> {
  return failure.code === code;
}
