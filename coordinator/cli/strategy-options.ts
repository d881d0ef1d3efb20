import { z } from "zod";
import { choice, decimalNumber, type OptionTable, wholeNumber } from "../../shared/cli/option-table.js";
import { MOST_STEPS_OF_ROUND } from "../../shared/round-rules.js";
import { STRATEGIES } from "../../shared/strategy-choice.js";

const STRATEGY = "Strategy (over what the document says):";

/** How replicas come to common parameters. */
export const STRATEGY_OPTIONS = {
  strategy: {
    group: STRATEGY,
    describe:
      "sync: replicas exchange in every step; local-sgd: after several steps of their own, for slow links; async: no worker waits for another, for uneven ones [default sync]",
    schema: choice(STRATEGIES),
    placeholder: "NAME",
  },
  "max-staleness": {
    group: STRATEGY,
    describe: "Of async: steps that a worker may be ahead of the slowest [default 4]",
    schema: wholeNumber(1, 1e6),
    placeholder: "S",
  },
  "sync-every": {
    group: STRATEGY,
    describe: "Of local-sgd: steps between exchanges; the end of an epoch is one too [default 8]",
    schema: wholeNumber(1, MOST_STEPS_OF_ROUND),
    placeholder: "H",
  },
  "outer-learning-rate": {
    group: STRATEGY,
    describe: "Of local-sgd: share of the replicas' mean difference that is taken over; DiLoCo 0.7 [default 1]",
    schema: decimalNumber(z.number().positive("more than 0")),
    placeholder: "F",
  },
  "outer-momentum": {
    group: STRATEGY,
    describe: "Of local-sgd: Nesterov's momentum of these differences; DiLoCo 0.9 [default 0]",
    schema: decimalNumber(z.number().min(0, "at least 0").lt(1, "below 1")),
    placeholder: "F",
  },
} as const satisfies OptionTable;
