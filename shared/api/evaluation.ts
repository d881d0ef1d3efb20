import { z } from "zod";
import { FailureSchema } from "../failure.js";

const whole = z.number().int().nonnegative();

/** How good a trained model is at some rows: `POST /vinnsl/{id}/evaluate`, and `ringstrasse predict MODEL --evaluate --json`. */
export const EvaluationSchema = z.object({
  /** Judged. */
  rows: whole,
  /** Mean over the rows; null: not finite. */
  loss: z.number().nullable(),
  /** Fraction of the rows whose class was predicted rightly; null: real-valued targets. */
  accuracy: z.number().min(0).max(1).nullable(),
  /** Mean over rows and outputs; null: classes, or not finite. */
  meanAbsoluteError: z.number().nonnegative().nullable(),
  /** Null: real-valued targets, or more than 1000 classes. */
  confusion: z
    .object({
      /** By class number. */
      classNames: z.array(z.string()),
      /** Rows by what they are, then by what they were predicted as. A row with an output that is no number is in no cell. */
      counts: z.array(z.array(whole)),
    })
    .nullable(),
  /** Of the model that was judged. */
  weightsSha256: z.string().regex(/^[0-9a-f]{64}$/),
  engine: z.string(),
});
export type Evaluation = z.infer<typeof EvaluationSchema>;

/** The one line of `ringstrasse predict MODEL --evaluate --json`. */
export const EvaluationLineSchema = z.union([z.object({ failure: FailureSchema }), EvaluationSchema]);
export type EvaluationLine = z.infer<typeof EvaluationLineSchema>;
