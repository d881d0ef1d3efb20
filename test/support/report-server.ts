import { readFile } from "node:fs/promises";
import { onTestFinished } from "vitest";
import { createHttpApp, type HttpApp } from "../../coordinator/http/http-app.js";
import type { JobService } from "../../coordinator/service/job-service.js";
import { openJobService } from "../../coordinator/service/open-job-service.js";
import type { TrainingGround } from "../../coordinator/service/training-ground.js";
import { openStore } from "../../coordinator/store/open-store.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { createLogger } from "../../shared/logger.js";
import { NO_JUDGE } from "./no-judge.js";
import { temporaryDirectory } from "./temporary-directory.js";

/** Allows everything that a server allows. */
export const WRITE_TOKEN = "write-token-of-the-test";
export const READ_TOKEN = "read-token-of-the-test";

const IRIS = new URL("../../examples/iris/", import.meta.url);

/** Has no workers: jobs wait until somebody elsewhere takes them. */
const NO_WORKERS: TrainingGround = {
  capacity: () => ({ present: 0, idle: 0 }),
  workers: () => [],
  onCapacityChanged: () => undefined,
  train: () => Promise.reject(new RingstrasseError({ code: "INTERNAL", problem: "this test has no workers" })),
};

/** A server's inside: the real service over real stores, and the real app, which does not listen unless told to. */
export interface ReportServer {
  readonly service: JobService;
  readonly app: HttpApp;
  /** Of a job that waits. */
  submit(): Promise<JobId>;
  /** @returns its origin */
  listen(): Promise<string>;
  close(): Promise<void>;
}

/** @param directory of a server before, to go on where it ended; a fresh one else */
export async function openReportServer(directory?: string): Promise<ReportServer> {
  const dataDirectory = directory ?? (await temporaryDirectory());
  const log = createLogger("silent", { process: "test" });
  const limits = { quotaBytes: 1e8, maxFileBytes: 1e7 };
  const store = await openStore({ directory: dataDirectory, limits });
  const service = await openJobService({ store, ground: NO_WORKERS, judge: NO_JUDGE, dataDirectory, log });
  const tokens = { read: READ_TOKEN, write: WRITE_TOKEN };
  const app = await createHttpApp({ service, files: store.files, tokens, log });
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    await app.close();
    await service[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  };
  onTestFinished(close);
  return {
    service,
    app,
    close,
    listen: () => app.listen({ host: "127.0.0.1", port: 0 }),
    submit: async () => {
      const bytes = await readFile(new URL("iris.xml", IRIS));
      const { id } = await service.submit({ format: "xml", bytes });
      const data = await readFile(new URL("iris.csv", IRIS));
      const upload = { name: "iris.csv", contentType: "text/csv" };
      const file = await store.files.add(pieces(data), upload);
      await service.addFile(id, file.id);
      await service.queue(id);
      return id;
    },
  };
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield await Promise.resolve(bytes);
}

/** Events of a job that are kept, by kind and in order; without those of its status. */
export async function keptEvents(
  service: JobService,
  id: JobId,
): Promise<{ readonly kind: string; readonly data: string }[]> {
  const { lastEventId } = await service.detail(id);
  const events: { kind: string; data: string }[] = [];
  const end = new AbortController();
  if (lastEventId === 0) return events;
  for await (const { sequence, kind, data } of service.follow(id, 0, end.signal)) {
    if (kind !== "status") events.push({ kind, data });
    if (sequence >= lastEventId) break;
  }
  end.abort();
  return events;
}
