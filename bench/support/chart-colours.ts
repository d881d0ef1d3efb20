/** Readable on white and on black: the pictures have no ground of their own. */
export const INK = "#7d8590";
/** Of what is ours. */
export const OWN = "#2f81f7";
/** Of what it is compared with. */
export const OTHER = "#9aa4ae";
