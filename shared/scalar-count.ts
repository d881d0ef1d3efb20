/** Float64 values of a step that are folded over the replicas like gradients: the scalar block. */
export const SCALARS = 4;
/** Float64 values for votes, at the end of each scalar block that has them. */
export const VOTES = 1;
/** Of each step of a round: what a step's block has, then the length of the gradient times its rows. */
export const ROUND_STEP_SCALARS = SCALARS + 1;

/** Float64 values of the scalar block of rounds with up to `steps` steps; the last one is for votes. Pure. */
export function roundScalarCount(steps: number): number {
  return steps * ROUND_STEP_SCALARS + VOTES;
}
