import { Contender, type ContenderPlan } from "./contender.js";
import { growthBytes } from "./figures.js";

const STEPS_PER_SAMPLE = 1000;
const WARM_SAMPLES = 3;
/** Those that are warm, and one more. */
export const LEAST_MEMORY_STEPS = (WARM_SAMPLES + 1) * STEPS_PER_SAMPLE;
/** Garbage not yet collected; 5 KB forgotten in each of 7,000 steps would be more. */
const GROWTH_LIMIT_BYTES = 32 * 1024 * 1024;

export interface MemoryChoice {
  readonly plan: ContenderPlan;
  readonly workloadPath: string;
  readonly core: number;
  readonly steps: number;
}

export interface MemoryResult {
  /** After every thousand steps. */
  readonly residentBytes: readonly number[];
  /** From the first three samples to the others. */
  readonly growthBytes: number;
  readonly complaint: string | null;
}

/** Trains for `steps` steps and looks at the resident memory after each thousand. @throws RangeError for less than 4,000 steps */
export async function measureMemory({ plan, workloadPath, core, steps }: MemoryChoice): Promise<MemoryResult> {
  await using contender = await Contender.start(plan, workloadPath, [core]);
  const residentBytes: number[] = [];
  for (let done = 0; done < steps; done += STEPS_PER_SAMPLE)
    residentBytes.push((await contender.run(STEPS_PER_SAMPLE)).residentBytes);
  const growth = growthBytes(residentBytes, WARM_SAMPLES);
  const complaint = growth > GROWTH_LIMIT_BYTES ? `memory grew by ${growth} bytes` : null;
  return { residentBytes, growthBytes: growth, complaint };
}
