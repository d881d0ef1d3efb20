import { onTestFinished } from "vitest";
import { createHttpApp, type HttpApp, type HttpAppOptions } from "../../../../coordinator/http/http-app.js";
import type { JobService } from "../../../../coordinator/service/job-service.js";
import type { ModelJudge } from "../../../../coordinator/service/model-judge.js";
import { openJobService } from "../../../../coordinator/service/open-job-service.js";
import type { TrainingGround } from "../../../../coordinator/service/training-ground.js";
import type { FileLimits, FileStore } from "../../../../coordinator/store/file-store.js";
import { openStore } from "../../../../coordinator/store/open-store.js";
import { RingstrasseError } from "../../../../shared/failure.js";
import { createLogger } from "../../../../shared/logger.js";
import { NO_JUDGE } from "../../../support/no-judge.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

export interface OpenHttpAppOptions extends Partial<Pick<HttpAppOptions, "tokens" | "limits" | "publicOrigin">> {
  readonly fileLimits?: FileLimits;
  readonly judge?: ModelJudge;
}

export interface OpenHttpApp {
  readonly app: HttpApp;
  readonly service: JobService;
  readonly files: FileStore;
  /** Where the stores keep everything. */
  readonly directory: string;
}

/** Has no workers: what is queued waits. */
const NO_WORKERS: TrainingGround = {
  capacity: () => ({ present: 0, idle: 0 }),
  workers: () => [],
  onCapacityChanged: () => undefined,
  train: () => Promise.reject(new RingstrasseError({ code: "INTERNAL", problem: "this test has no workers" })),
};

/** The real app over the real service and stores, empty, in a directory of the running test's own; open unless there are tokens. */
export async function openHttpApp({
  fileLimits,
  judge = NO_JUDGE,
  ...options
}: OpenHttpAppOptions = {}): Promise<OpenHttpApp> {
  const directory = await temporaryDirectory();
  const log = createLogger("silent", { process: "test" });
  const store = await openStore({ directory, limits: fileLimits ?? { quotaBytes: 1e8, maxFileBytes: 1e7 } });
  const service = await openJobService({ store, ground: NO_WORKERS, judge, dataDirectory: directory, log });
  const { files } = store;
  const app = await createHttpApp({ service, files, tokens: { read: null, write: null }, log, ...options });
  onTestFinished(async () => {
    await app.close();
    await service[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
  return { app, service, files, directory };
}
