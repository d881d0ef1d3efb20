import { scriptedHarness } from "../support/scripted-batch.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { batchSchedulerSuite } from "./batch-scheduler.suite.js";

// Slurm itself goes through the same suite in test/cluster.
batchSchedulerSuite("the tests' own", async () => scriptedHarness(await temporaryDirectory()));
