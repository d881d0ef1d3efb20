/** How long the learning rate rises to its full height. */
export interface WarmUp {
  readonly amount: number;
  readonly unit: "epochs" | "steps";
}

/** Longest warm-up, in either unit. */
const LONGEST = 1e9;
const PATTERN = /^(?<amount>\d+(?:\.\d+)?)\s*(?<unit>epochs?|steps?)?$/i;

/** What users may write, for messages. */
export const WARM_UP_FORM = "epochs such as 5 or 0.5, or updates such as 500steps";

/** `5`, `0.5 epochs`, `500steps`; null when it is none of these. Steps are whole. Pure. */
export function parseWarmUp(text: string): WarmUp | null {
  const { amount, unit = "epochs" } = PATTERN.exec(text.trim())?.groups ?? {};
  const number = Number(amount);
  const isSteps = unit.toLowerCase().startsWith("step");
  if (amount === undefined || number > LONGEST || (isSteps && !Number.isInteger(number))) return null;
  return { amount: number, unit: isSteps ? "steps" : "epochs" };
}

/** In updates: the nearest whole number. Pure. */
export function warmUpSteps({ amount, unit }: WarmUp, stepsPerEpoch: number): number {
  return unit === "steps" ? amount : Math.round(amount * stepsPerEpoch);
}
