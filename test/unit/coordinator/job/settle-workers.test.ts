import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TrainOptions } from "../../../../coordinator/cli/train-options.js";
import { settleWorkers } from "../../../../coordinator/job/settle-workers.js";
import type { ExecutionWishes } from "../../../../coordinator/vinnsl/network-definition.js";
import { RingstrasseError } from "../../../../shared/failure.js";
import { failureOf } from "../../../support/failure-of.js";

const G = "/definition/executionEnvironment/parallel/hardware/general";

function settle(wishes: Omit<ExecutionWishes, "paths">, options: TrainOptions = {}) {
  const paths = Object.fromEntries(
    Object.keys(wishes).map((name, index) => [name, `${G}/valueparameter[${index + 1}]`]),
  );
  const { workers, replicas, workerRange } = settleWorkers({
    execution: { ...wishes, paths },
    options,
    sources: {},
    file: "net.xml",
  });
  return [workers.value, replicas.value, workerRange.min, workerRange.max];
}

describe("settleWorkers", () => {
  it.each<[string, Omit<ExecutionWishes, "paths">, TrainOptions, [number, number, number, number]]>([
    ["nothing said", {}, {}, [1, 1, 1, 1]],
    ["workers alone: exactly so many", { workers: 3 }, {}, [3, 3, 3, 3]],
    ["replicas alone: one worker", { replicas: 4 }, {}, [1, 4, 1, 1]],
    ["maxWorkers: any number up to it, R follows", { maxWorkers: 4 }, {}, [4, 4, 1, 4]],
    ["minWorkers and maxWorkers", { minWorkers: 2, maxWorkers: 4 }, {}, [4, 4, 2, 4]],
    ["minWorkers alone: up to the replicas", { minWorkers: 2, replicas: 8 }, {}, [8, 8, 2, 8]],
    ["minWorkers, and nothing above", { minWorkers: 2 }, {}, [2, 2, 2, 2]],
    ["workers among others", { minWorkers: 1, workers: 2, maxWorkers: 4, replicas: 8 }, {}, [2, 8, 1, 4]],
    ["replicas over maxWorkers", { maxWorkers: 2, replicas: 4 }, {}, [2, 4, 1, 2]],
    ["options over the document", { maxWorkers: 2 }, { "max-workers": 3, "min-workers": 3 }, [3, 3, 3, 3]],
    ["--workers over the range, R stays", { minWorkers: 3, maxWorkers: 4 }, { workers: 2 }, [2, 4, 2, 2]],
    ["--workers beyond the range", { maxWorkers: 4 }, { workers: 6 }, [6, 6, 6, 6]],
  ])("%s", (_name, wishes, options, expected) => {
    expect(settle(wishes, options)).toEqual(expected);
  });

  it.each<[string, Omit<ExecutionWishes, "paths">, RegExp]>([
    ["min over max", { minWorkers: 3, maxWorkers: 2 }, /minWorkers is 3, more than the 2 of maxWorkers/],
    ["workers over max", { workers: 3, maxWorkers: 2 }, /workers is 3, more than the 2 of maxWorkers/],
    ["min over workers", { workers: 1, minWorkers: 2 }, /minWorkers is 2, more than the 1 of workers/],
    ["max over replicas", { maxWorkers: 4, replicas: 2 }, /4 workers are more than the job's 2 replicas/],
    ["workers over replicas", { workers: 4, replicas: 2 }, /4 workers are more than the job's 2 replicas/],
    ["min over replicas", { minWorkers: 4, replicas: 2 }, /4 workers are more than the job's 2 replicas/],
  ])("refuses %s in a document, naming the element and the way out", async (_name, wishes, problem) => {
    expect(await failureOf(() => settle(wishes))).toMatchObject({
      code: "DOCUMENT_INVALID",
      file: "net.xml",
      elementPath: expect.stringContaining(`${G}/valueparameter[`),
      problem: expect.stringMatching(problem),
      remedy: expect.stringMatching(/^Give \w+ \d or less, or \w+ \d or more/),
    });
  });

  it("names the option when one is involved", async () => {
    const failure = await failureOf(() => settle({ replicas: 2 }, { workers: 3 }));
    expect(failure).toMatchObject({
      code: "USAGE",
      option: "--workers",
      remedy: expect.stringContaining("--workers 2 or less"),
    });
    const other = await failureOf(() => settle({ workers: 4 }, { "max-workers": 3 }));
    expect(other).toMatchObject({ code: "USAGE", option: "--max-workers" });
  });

  it("settles on 1 ≤ min ≤ N ≤ max ≤ R, or refuses", () => {
    const count = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
    const wishes = fc.record({ workers: count, replicas: count, minWorkers: count, maxWorkers: count });
    const given = (all: Record<string, number | undefined>) =>
      Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Omit<
        ExecutionWishes,
        "paths"
      >;
    fc.assert(
      fc.property(wishes, wishes, (document, { workers, replicas, minWorkers, maxWorkers }) => {
        const options = given({
          workers,
          replicas,
          "min-workers": minWorkers,
          "max-workers": maxWorkers,
        }) as TrainOptions;
        try {
          const [n = 0, r = 0, min = 0, max = 0] = settle(given(document), options);
          expect(1 <= min && min <= n && n <= max && max <= r).toBe(true);
        } catch (thrown) {
          if (!(thrown instanceof RingstrasseError)) throw thrown;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
