import { z } from "zod";

/** A contender's first line of output: it is ready for steps. */
export const ReadySchema = z.object({
  /** e.g. `PyTorch`. */
  library: z.string(),
  version: z.string(),
  /** How it computes, where there was a choice; for people. */
  variant: z.string(),
});
export type Ready = z.infer<typeof ReadySchema>;

/** Answer to a line with a number of steps. */
export const BurstSchema = z.object({
  /** Mean loss over the rows of each step. */
  losses: z.array(z.number()),
  /** From the end of the step before (or the beginning of the burst) to this step's end: sums to the burst's time. */
  stepMs: z.array(z.number()),
  /** Processor time of all the process's threads meanwhile. */
  cpuMs: z.number(),
  /** Resident memory at the end. */
  residentBytes: z.number(),
});
export type Burst = z.infer<typeof BurstSchema>;
