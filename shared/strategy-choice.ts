/** How replicas come to common parameters: in every step; with bounded delay; or after several steps of their own. */
export const STRATEGIES = ["sync", "async", "local-sgd"] as const;
export type Strategy = (typeof STRATEGIES)[number];
