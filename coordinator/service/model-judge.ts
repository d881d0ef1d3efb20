import type { Evaluation } from "../../shared/api/evaluation.js";

/** What a model is to be judged by. Paths are absolute. */
export interface JudgeRequest {
  /** A model directory. */
  readonly modelDirectory: string;
  readonly rows:
    | { readonly kind: "data"; readonly dataPath: string /** Of IDX images. */; readonly labelsPath: string | null }
    | { readonly kind: "prepared" /** The description of a row file, as JSON. */; readonly rowFile: string };
}

/** Computes what a trained model is worth, away from the jobs that train. Calls may overlap. */
export interface ModelJudge {
  /**
   * Nothing of it is left when this settles. @param signal ends it: rejects with its reason
   * @throws RingstrasseError MODEL_INVALID, DATA_INVALID, DATA_MISMATCH, INPUT_MISSING, ENGINE_UNAVAILABLE, LAUNCH_FAILED;
   *   EVALUATION_TIMEOUT when it takes too long
   */
  judge(request: JudgeRequest, signal: AbortSignal): Promise<Evaluation>;
}
