import type { z } from "zod";

/** A message of the other end. @throws Error, in words for the user, for what no process of this version says */
export function understood<T>(schema: z.ZodType<T>, message: unknown): T {
  const { data, success, error } = schema.safeParse(message);
  if (success) return data;
  throw new Error("it says what no ringstrasse of this version says here", { cause: error });
}
