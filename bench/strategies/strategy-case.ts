/** A way for two workers with four replicas to come to common parameters. */
export interface StrategyCase {
  readonly name: string;
  /** Options of `train`. */
  readonly flags: readonly string[];
  /** What every step exchanges, all of it. */
  readonly isPlain: boolean;
}

const rounds = (steps: number, ...more: readonly string[]): string[] => [
  ...["--collective", "ring", "--strategy", "local-sgd", "--sync-every", String(steps)],
  ...more,
];
const topk = (fraction: string): string[] => ["--compress", "topk", "--topk-fraction", fraction];

/** One exchange that all share, a ring of sockets, so that bytes can be compared; `async` has one of its own. */
export const STRATEGY_CASES: readonly StrategyCase[] = [
  { name: "sync", flags: ["--collective", "ring"], isPlain: true },
  { name: "sync bf16", flags: ["--collective", "ring", "--compress", "bf16"], isPlain: false },
  { name: "async", flags: ["--strategy", "async"], isPlain: false },
  { name: "local-sgd 4", flags: rounds(4), isPlain: false },
  { name: "local-sgd 16", flags: rounds(16), isPlain: false },
  { name: "local-sgd 100", flags: rounds(100), isPlain: false },
  {
    name: "local-sgd 16, outer",
    flags: rounds(16, "--outer-learning-rate", "0.7", "--outer-momentum", "0.9"),
    isPlain: false,
  },
  { name: "topk 1 %", flags: topk("0.01"), isPlain: false },
  { name: "topk 0.1 %", flags: topk("0.001"), isPlain: false },
];
