import { describe, expect, it } from "vitest";
import {
  cursorOf,
  FIRST_JOBS,
  type JobsAction,
  type JobsState,
  matchingJobs,
  reduceJobs,
} from "../../../../../coordinator/dashboard/stores/jobs-store.js";
import type { JobPage } from "../../../../../shared/api/job-summary.js";
import { RecordedJob } from "../../../../support/recorded-job.js";

const pageOf = (next: string | null, ...names: readonly string[]): JobPage => ({
  jobs: names.map((name, index) => new RecordedJob(`${index}`.padStart(24, "0"), name).summary),
  next,
});
const loaded = (page: JobPage, cursor: string | null = null): JobsAction => ({
  kind: "loaded",
  status: null,
  cursor,
  page,
});
const stateAfter = (...actions: readonly JobsAction[]): JobsState => actions.reduce(reduceJobs, FIRST_JOBS);

describe("jobs store", () => {
  it("goes to older pages and back by their cursors", () => {
    const first = stateAfter(loaded(pageOf("c1", "iris")));
    const second = reduceJobs(first, { kind: "older" });
    expect(cursorOf(second)).toBe("c1");
    expect(second.shown).toBeNull();
    const third = [loaded(pageOf("c2", "wines"), "c1"), { kind: "older" } as const].reduce(reduceJobs, second);
    expect(cursorOf(third)).toBe("c2");
    const back = [{ kind: "newer" } as const, { kind: "newer" } as const, { kind: "newer" } as const].reduce(
      reduceJobs,
      third,
    );
    expect(back.cursors).toEqual([null]);
  });

  it("stays on the last page", () => {
    const last = stateAfter(loaded(pageOf(null, "iris")));
    expect(reduceJobs(last, { kind: "older" })).toBe(last);
  });

  it("drops an answer to a question that is no longer asked", () => {
    const filtered = stateAfter(loaded(pageOf("c1", "iris")), { kind: "filtered", status: "ERROR" });
    expect(reduceJobs(filtered, loaded(pageOf(null, "late")))).toBe(filtered);
    const older = stateAfter(loaded(pageOf("c1", "iris")), { kind: "older" });
    expect(reduceJobs(older, loaded(pageOf(null, "late")))).toBe(older);
  });

  it("begins at the newest page when the filter changes, and keeps what was searched for", () => {
    const state = stateAfter(
      loaded(pageOf("c1", "iris")),
      { kind: "searched", words: "iris" },
      { kind: "older" },
      { kind: "filtered", status: "QUEUED" },
    );
    expect(state).toEqual({ status: "QUEUED", cursors: [null], shown: null, words: "iris", problem: null });
  });

  it("finds jobs by parts of name or id, in any case", () => {
    const state = stateAfter(loaded(pageOf(null, "Iris classification", "Wines")));
    const namesFor = (words: string) =>
      matchingJobs(reduceJobs(state, { kind: "searched", words })).map(({ name }) => name);
    expect(namesFor(" iris ")).toEqual(["Iris classification"]);
    expect(namesFor("0001")).toEqual(["Wines"]);
    expect(namesFor("nothing")).toEqual([]);
    expect(namesFor("")).toHaveLength(2);
  });

  it("keeps what is shown when a reading fails, until one succeeds", () => {
    const problem = { status: 0, code: "UNREACHABLE", message: "no answer", path: null, line: null };
    const failed = stateAfter(loaded(pageOf(null, "iris")), { kind: "failed", problem });
    expect(failed).toMatchObject({ problem, shown: { jobs: [{ name: "iris" }] } });
    expect(reduceJobs(failed, loaded(pageOf(null, "iris"))).problem).toBeNull();
  });
});
