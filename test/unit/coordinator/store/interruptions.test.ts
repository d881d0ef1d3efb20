import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  describeGoingOn,
  type Interruptions,
  interruptedOnce,
  MAX_INTERRUPTIONS,
  mayGoOn,
  NO_INTERRUPTIONS,
  repeatedFailure,
} from "../../../../coordinator/store/interruptions.js";
import { describeFailure } from "../../../../shared/describe-failure.js";

/** Interrupted with these states saved, until it may go on no more. */
function interruptedAt(savedSteps: readonly number[]): { readonly count: Interruptions; readonly seen: number } {
  let count = NO_INTERRUPTIONS;
  let seen = 0;
  for (const step of savedSteps) {
    if (!mayGoOn(count)) break;
    count = interruptedOnce(count, step);
    seen++;
  }
  return { count, seen };
}

const steps = fc.array(fc.nat({ max: 12 }), { maxLength: 100 });

describe("interruptions of a job", () => {
  it("end it with the third at one place", () => {
    expect(interruptedAt([0, 0, 0, 0])).toEqual({ count: { times: 3, step: 0 }, seen: 3 });
    expect(interruptedAt([7, 7, 7, 7])).toEqual({ count: { times: 3, step: 7 }, seen: 3 });
    expect(interruptedAt([0, 0, 7, 7, 7, 7])).toEqual({ count: { times: 3, step: 7 }, seen: 5 });
  });

  it("never end one that gets further each time, however often", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat()), (saved) => {
        const rising = [...saved].sort((a, b) => a - b).flatMap((step) => [step, step]);
        expect(interruptedAt(rising).seen).toBe(rising.length);
      }),
    );
  });

  it("count since the furthest place: being back at an earlier one is no progress", () => {
    fc.assert(
      fc.property(steps, (saved) => {
        const { count, seen } = interruptedAt(saved);
        const taken = saved.slice(0, seen);
        const furthest = Math.max(0, ...taken);
        expect(count.step).toBe(furthest);
        const first = furthest === 0 ? 0 : taken.indexOf(furthest);
        expect(count.times).toBe(seen - first);
        expect(mayGoOn(count)).toBe(seen === 0 || seen - first < MAX_INTERRUPTIONS);
      }),
    );
  });

  it("end every job at last, whatever happens to it", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat({ max: 12 })), (saved) => {
        const most = MAX_INTERRUPTIONS * (12 + 1);
        expect(mayGoOn(interruptedAt([...saved.take(most)]).count)).toBe(false);
      }),
    );
  });

  it("are told: how many there were, since which place, and what to do", () => {
    const failure = { code: "INTERRUPTED", signal: "the end of the server that ran it" } as const;
    expect(describeFailure(repeatedFailure(failure, { times: 3, step: 120 }))).toBe(
      "interrupted by the end of the server that ran it. That was interruption 3 in a row without a newer checkpoint than that of step 120, so the job has ended. Find out what ends its runs (memory, the machine), or have its state saved more often (--checkpoint-minutes, --checkpoint-steps); queued again, it goes on from there",
    );
    const who = { rank: 1, host: "h", pid: 7, replicas: [1], step: 3 };
    const death = { code: "WORKER_DIED", ...who, how: "killed by SIGKILL", lastWords: null } as const;
    expect(describeFailure(repeatedFailure(death, { times: 3, step: 0 }))).toMatch(
      /^worker rank 1 .* in step 3 died \(killed by SIGKILL\)\. That was interruption 3 in a row before a first checkpoint.*begins at its beginning$/,
    );
    expect(describeGoingOn({ times: 2, step: 120 })).toBe(
      "The job goes on by itself: this is interruption 2 without a newer checkpoint than that of step 120, and number 3 ends it",
    );
    expect(describeGoingOn({ times: 1, step: 0 })).toBe(
      "The job goes on by itself: this is interruption 1 before a first checkpoint, and number 3 ends it",
    );
  });
});
