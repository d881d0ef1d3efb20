/**
 * Launchers send signals to all processes of a run: the coordinator's verdict comes before a worker leaves by itself, and before that
 * it may have the state to save.
 */
export const VERDICT_MS = 10_000;
