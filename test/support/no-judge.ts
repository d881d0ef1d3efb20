import type { ModelJudge } from "../../coordinator/service/model-judge.js";
import { RingstrasseError } from "../../shared/failure.js";

/** For tests in which no model is judged. */
export const NO_JUDGE: ModelJudge = {
  judge: () => Promise.reject(new RingstrasseError({ code: "INTERNAL", problem: "this test judges no models" })),
};
