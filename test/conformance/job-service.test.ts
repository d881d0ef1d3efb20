import { STORE_KINDS } from "../support/service-place.js";
import { jobResumptionSuite } from "./job-resumption.suite.js";
import { jobServiceSuite } from "./job-service.suite.js";

for (const kind of STORE_KINDS) {
  jobServiceSuite(kind);
  jobResumptionSuite(kind);
}
