import { mkdir, readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { ReportIntake } from "../../../../coordinator/report/report-intake.js";
import { contentName, encodeReport, reportName } from "../../../../coordinator/report/spool-format.js";
import { SpoolWatcher } from "../../../../coordinator/report/spool-watcher.js";
import type { RunReport } from "../../../../shared/api/run-report.js";
import { createLogger } from "../../../../shared/logger.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { openReportServer } from "../../../support/report-server.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { startedEvent, stepEvent } from "../../../support/train-events.js";

const log = createLogger("silent", { process: "test" });
const INPROGRESS: RunReport = { kind: "status", status: "INPROGRESS", message: null };

async function spool() {
  const server = await openReportServer();
  const id = await server.submit();
  const directory = await temporaryDirectory();
  const job = join(directory, id);
  await mkdir(job);
  const put = (number: number, report: RunReport) => writeFile(join(job, reportName(number)), encodeReport(report));
  const watch = async () => {
    const watcher = await SpoolWatcher.open({
      directory,
      intake: new ReportIntake(server.service),
      log,
      intervalMs: 5,
    });
    onTestFinished(() => watcher[Symbol.asyncDispose]());
    return watcher;
  };
  return { server, id, directory, job, put, watch };
}

describe("SpoolWatcher", () => {
  it("leaves foreign files alone, names them, and takes in the others", async () => {
    const { server, id, directory, job, put, watch } = await spool();
    await writeFile(join(directory, "README"), "hands off");
    await writeFile(join(job, "notes.txt"), "mine");
    await put(1, INPROGRESS);
    const watcher = await watch();
    await expect.poll(async () => (await server.service.detail(id)).job.status).toBe("INPROGRESS");
    await expect
      .poll(() => [...watcher.notes.keys()].sort())
      .toEqual([join(directory, "README"), join(job, "notes.txt")].sort());

    expect(await readdir(job)).toEqual(["notes.txt"]);
    expect(watcher.notes.get(join(job, "notes.txt"))).toContain("stays untouched");
  });

  it("waits for a file that is not whole yet, and for those behind it", async () => {
    const { server, id, job, put, watch } = await spool();
    await put(1, INPROGRESS);
    const whole = encodeReport({ kind: "events", run: "r", from: 0, events: [startedEvent(), stepEvent(1, 1)] });
    await writeFile(join(job, reportName(2)), whole.subarray(0, whole.length - 10));
    await put(3, { kind: "events", run: "r", from: 2, events: [stepEvent(1, 2)] });
    const watcher = await watch();
    await expect.poll(() => watcher.notes.get(join(job, reportName(2)))).toContain("line end");
    expect((await server.service.detail(id)).job.step).toBe(0);
    await writeFile(join(job, reportName(2)), whole);

    await expect.poll(async () => (await server.service.detail(id)).job.step).toBe(2);
    await expect.poll(() => watcher.notes.size).toBe(0);
  });

  it("sets aside what is refused for good, names it, and goes on", async () => {
    const { server, id, job, put, watch } = await spool();
    await put(1, INPROGRESS);
    await writeFile(join(job, reportName(2)), '{"kind":"rumour"}\n');
    await put(3, { kind: "status", status: "ERROR", message: "it broke" });
    const watcher = await watch();
    await expect.poll(async () => (await server.service.detail(id)).job.status).toBe("ERROR");

    await expect.poll(() => readdir(job)).toEqual([`${reportName(2)}.refused`]);
    await expect.poll(() => watcher.notes.get(join(job, `${reportName(2)}.refused`))).toContain("refused");
  });

  it("takes a model's file in when its content is whole, and nothing of it stays", async () => {
    const { server, id, directory, job, put, watch } = await spool();
    await put(1, INPROGRESS);
    await writeFile(join(job, contentName(2)), "half");
    await put(2, { kind: "modelFile", name: "weights.bin", sizeBytes: 8 });
    const watcher = await watch();
    await expect.poll(() => watcher.notes.get(join(job, reportName(2)))).toContain("4 bytes instead of 8");
    await writeFile(join(job, contentName(2)), "complete");
    await put(3, { kind: "status", status: "FINISHED", message: null });
    await expect.poll(async () => (await server.service.detail(id)).job.status).toBe("FINISHED");

    expect([...(await server.service.modelFiles(id)).keys()]).toEqual(["weights.bin"]);
    await expect.poll(() => readdir(directory)).toEqual([]);
  });

  it.runIf(process.platform === "linux")("leaves a model's file closed whose job is not there", async () => {
    const { directory, watch } = await spool();
    const unknown = join(directory, "0".repeat(24));
    const content = join(unknown, contentName(1));
    await mkdir(unknown);
    await writeFile(content, "complete");
    await writeFile(
      join(unknown, reportName(1)),
      encodeReport({ kind: "modelFile", name: "weights.bin", sizeBytes: 8 }),
    );
    const watcher = await watch();
    await expect.poll(() => watcher.notes.get(join(unknown, reportName(1)))).toContain("there is no job");
    const open = await Promise.all(
      (await readdir("/proc/self/fd")).map((number) => readlink(`/proc/self/fd/${number}`).catch(() => "gone")),
    );
    expect(open).not.toContain(content);
  });

  it("goes on with the other jobs when one's directory is in disorder", async () => {
    const { server, id, directory, put, watch } = await spool();
    // In whichever order they are listed: one of them comes before the good one.
    const bad = Array.from({ length: 16 }, (_, index) => join(directory, index.toString(16).repeat(24)));
    for (const path of bad) {
      // What is refused can't be set aside: something is in the way.
      await mkdir(join(path, `${reportName(1)}.refused`, "full"), { recursive: true });
      await writeFile(join(path, reportName(1)), '{"kind":"rumour"}\n');
    }
    await put(1, INPROGRESS);
    const watcher = await watch();
    await expect.poll(async () => (await server.service.detail(id)).job.status).toBe("INPROGRESS");
    await expect
      .poll(() => bad.map((path) => watcher.notes.get(path)).filter((note) => note !== undefined))
      .toHaveLength(16);
  });

  it("keeps what speaks of an unknown job until there is one", async () => {
    const { directory, watch } = await spool();
    const unknown = join(directory, "0".repeat(24));
    await mkdir(unknown);
    await writeFile(join(unknown, reportName(1)), encodeReport(INPROGRESS));
    const watcher = await watch();

    await expect.poll(() => watcher.notes.get(join(unknown, reportName(1)))).toContain("there is no job");
    expect(await readdir(unknown)).toEqual([reportName(1)]);
  });

  it("refuses a directory that can't be one", async () => {
    const { directory, server } = await spool();
    const path = join(directory, "file");
    await writeFile(path, "");
    const intake = new ReportIntake(server.service);
    const failure = await failureWithCode("OUTPUT_UNWRITABLE", () =>
      SpoolWatcher.open({ directory: path, intake, log }),
    );
    expect(failure.path).toBe(path);
  });
});
