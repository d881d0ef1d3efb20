import { z } from "zod";

/** What a process that loaded an engine and multiplied matrices with it tells: its last line on stdout, as JSON. */
export const EngineCheckSchema = z.strictObject({
  engine: z.string(),
  /** As the library itself tells it. */
  version: z.string(),
  /** What it computed on. */
  device: z.enum(["cpu", "gpu"]),
  threads: z.number().int().positive(),
  /** Floating-point operations per second of a float32 matrix product, ÷ 10⁹. */
  gigaflops: z.number().positive(),
});
export type EngineCheck = z.infer<typeof EngineCheckSchema>;

/** The hidden command of that process. */
export const ENGINE_CHECK_COMMAND = "engine-check";
