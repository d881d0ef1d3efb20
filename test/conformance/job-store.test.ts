import { JOB_STORE_KINDS } from "../support/open-job-store.js";
import { jobStoreSuite } from "./job-store.suite.js";
import { jobStreamsSuite } from "./job-streams.suite.js";

for (const kind of JOB_STORE_KINDS) {
  jobStoreSuite(kind);
  jobStreamsSuite(kind);
}
