import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";
import { openReporter } from "../../coordinator/report/open-reporter.js";
import { ReportIntake } from "../../coordinator/report/report-intake.js";
import { SpoolWatcher } from "../../coordinator/report/spool-watcher.js";
import { createLogger } from "../../shared/logger.js";
import { FaultGate } from "../support/fault-gate.js";
import { openReportServer, type ReportServer, WRITE_TOKEN } from "../support/report-server.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { type ReportedJob, runReportingSuite } from "./run-reporting.suite.js";

const log = createLogger("silent", { process: "test" });
const timing = { batchMs: 5, firstRetryMs: 5, lastRetryMs: 50 };

runReportingSuite("HTTP", {
  open: async () => {
    const data = await temporaryDirectory();
    let server: ReportServer = await openReportServer(data);
    const id = await server.submit();
    let origin = await server.listen();
    const gate = new FaultGate(() => origin);
    await gate.open();
    onTestFinished(() => gate.close());
    return {
      id,
      service: () => server.service,
      openReporter: () => openReporter({ url: `${gate.origin}/vinnsl/${id}`, token: WRITE_TOKEN, log, timing }),
      stop: async () => {
        await gate.close();
        await server.close();
      },
      start: async () => {
        server = await openReportServer(data);
        origin = await server.listen();
        await gate.open();
      },
    } satisfies ReportedJob;
  },
});

runReportingSuite("a spool directory", {
  open: async () => {
    const data = await temporaryDirectory();
    const directory = join(await temporaryDirectory(), "spool");
    let server = await openReportServer(data);
    const id = await server.submit();
    const watch = () => {
      return SpoolWatcher.open({ directory, intake: new ReportIntake(server.service), log, intervalMs: 5 });
    };
    let watcher = await watch();
    onTestFinished(() => watcher[Symbol.asyncDispose]());
    const url = pathToFileURL(join(directory, id)).href;
    return {
      id,
      service: () => server.service,
      openReporter: () => openReporter({ url, token: null, log, timing }),
      stop: async () => {
        await watcher[Symbol.asyncDispose]();
        await server.close();
      },
      start: async () => {
        server = await openReportServer(data);
        watcher = await watch();
      },
    } satisfies ReportedJob;
  },
});
