import { describe, it } from "vitest";
import { FAULTS, failsByName } from "../support/injected-faults.js";

/** In all of these one worker is not like the others: rank 0, through which all exchange, or which has the parameters. */
const STRATEGIES = [
  ["--collective", "parameter-server"],
  ["--strategy", "async"],
];

describe.each(STRATEGIES)("%s %s: a failing worker fails the job by name", (...strategy) => {
  for (const rank of [0, 1]) {
    for (const fault of FAULTS.filter(({ kind }) => kind === "crash" || kind === "hang")) {
      it(`${fault.kind} of rank ${rank} is told as ${fault.code}; nobody is left behind`, () =>
        failsByName(fault, rank, strategy));
    }
  }
});
