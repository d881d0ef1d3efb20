import { beforeAll } from "vitest";
import { scriptedHarness } from "../support/scripted-batch.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { batchSchedulerSuite, type SchedulerHarness } from "./batch-scheduler.suite.js";

// Slurm itself goes through the same suite in test/cluster.
let harness: SchedulerHarness;
beforeAll(async () => {
  harness = scriptedHarness(await temporaryDirectory());
});
batchSchedulerSuite("the tests' own", () => harness);
