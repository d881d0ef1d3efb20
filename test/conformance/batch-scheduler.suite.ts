import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { BatchScheduler, BatchState, Unanswered } from "../../coordinator/batch/batch-scheduler.js";
import { failureOf } from "../support/failure-of.js";

/** A batch system in which the test decides when a job ends. */
export interface SchedulerHarness {
  readonly scheduler: BatchScheduler;
  /** A script of this name that runs until {@link end}. @returns its path */
  script(name: string): Promise<string>;
  /** A script that asks for what there is not. */
  impossibleScript(): Promise<string>;
  /** Has the job of this name end with this exit code. */
  end(name: string, exitCode: number): Promise<void>;
}

const UNKNOWN = "4000000";

/** What everybody may rely on who hands jobs to a batch system. */
export function batchSchedulerSuite(kind: string, open: () => Promise<SchedulerHarness>): void {
  describe(`BatchScheduler: ${kind}`, () => {
    type State = BatchState | Unanswered | undefined;
    const stateOf = async ({ scheduler }: SchedulerHarness, batchJob: string): Promise<State> =>
      (await scheduler.states([batchJob])).get(batchJob);

    async function started(harness: SchedulerHarness, name: string): Promise<string> {
      const submission = await harness.scheduler.submit(await harness.script(name));
      if (submission.kind !== "submitted") throw new Error(submission.problem);
      const { batchJob } = submission;
      await expect.poll(() => stateOf(harness, batchJob), { timeout: 30_000 }).toEqual({ kind: "running" });
      return batchJob;
    }

    it("a job is found by its name, runs, and ends with its exit code", async () => {
      const harness = await open();
      const name = `ringstrasse-${randomUUID()}`;
      expect(await harness.scheduler.find(name)).toBeNull();
      const batchJob = await started(harness, name);
      expect(await harness.scheduler.find(name)).toBe(batchJob);
      await harness.end(name, 3);
      const ended = { kind: "ended", state: "FAILED", exitCode: 3 };
      await expect.poll(() => stateOf(harness, batchJob), { timeout: 30_000 }).toEqual(ended);
      expect(await harness.scheduler.find(name)).toBe(batchJob);
    });

    it("several jobs are asked for at once, and one that nobody knows is unknown", async () => {
      const harness = await open();
      const [one, other] = [randomUUID(), randomUUID()];
      const batchJobs = [await started(harness, one), await started(harness, other)];
      await harness.end(one, 0);
      const completed = { kind: "ended", state: "COMPLETED", exitCode: 0 };
      await expect.poll(() => stateOf(harness, batchJobs[0] ?? ""), { timeout: 30_000 }).toEqual(completed);
      const states = await harness.scheduler.states([...batchJobs, UNKNOWN]);
      expect([...states.values()]).toEqual([completed, { kind: "running" }, { kind: "unknown" }]);
      await harness.end(other, 0);
      expect(await harness.scheduler.states([])).toEqual(new Map());
    });

    it("a cancelled job ends; one that has ended, or that nobody knows, can be cancelled too", async () => {
      const harness = await open();
      const batchJob = await started(harness, randomUUID());
      await harness.scheduler.cancel(batchJob);
      await expect
        .poll(() => stateOf(harness, batchJob), { timeout: 30_000 })
        .toMatchObject({ kind: "ended", state: "CANCELLED" });
      await harness.scheduler.cancel(batchJob);
      await harness.scheduler.cancel(UNKNOWN);
    });

    it("what there is not is refused, in the batch system's words", async () => {
      const harness = await open();
      const script = await harness.impossibleScript();
      const failure = await failureOf(() => harness.scheduler.submit(script));
      expect(failure).toMatchObject({ code: "BATCH_REFUSED", problem: expect.stringMatching(/partition/i) });
    });
  });
}
