/** When a server is killed. */
export const MOMENTS = ["upload", "training", "storing", "any"] as const;
export type Moment = (typeof MOMENTS)[number];
/** Those that must have been met. */
export const AIMED_AT = ["upload", "training", "storing"] as const;
const MORE_KILLS = 20;

export interface KillsSoFar {
  readonly done: number;
  /** As many are asked for. */
  readonly kills: number;
  /** Of each kind, how many kills met it. */
  readonly met: Readonly<Record<(typeof AIMED_AT)[number], number>>;
}

/**
 * The moments take turns. A results file is stored within milliseconds, so that a kill aimed at that can miss it: what has not been
 * met after all kills that were asked for, if each kind had its turn, is aimed at up to 20 times more. Null: enough. Pure.
 */
export function nextMoment({ done, kills, met }: KillsSoFar): Moment | null {
  if (done < kills) return MOMENTS[done % MOMENTS.length] ?? "any";
  if (!eachHasItsTurn(kills) || done >= kills + MORE_KILLS) return null;
  return AIMED_AT.find((moment) => met[moment] === 0) ?? null;
}

/** With fewer kills no kind of moment is missed. */
export function eachHasItsTurn(kills: number): boolean {
  return kills >= AIMED_AT.length;
}
