import { z } from "zod";

/** The body of every answer whose status is 400 or above. `code` is a failure code of this software, or the name of an HTTP refusal. */
export const ErrorResponseSchema = z.object({
  error: z.object({
    code: z.string(),
    /** One or two sentences for a person: what is wrong, where, what to do. */
    message: z.string(),
    /** Element path in the document, e.g. `/vinnsl/definition/structure/hidden[1]/size`; null where there is none. */
    path: z.string().nullable(),
    /** 1-based line of the document; null where unknown. */
    line: z.number().int().positive().nullable(),
  }),
});
export type ErrorResponse = z.infer<typeof ErrorResponseSchema>;
