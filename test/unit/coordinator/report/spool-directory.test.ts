import { mkdir, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ReportIntake } from "../../../../coordinator/report/report-intake.js";
import { SpoolDirectory } from "../../../../coordinator/report/spool-directory.js";
import { contentName, encodeReport, reportName } from "../../../../coordinator/report/spool-format.js";
import type { RunReport } from "../../../../shared/api/run-report.js";
import { RingstrasseError } from "../../../../shared/failure.js";
import { openReportServer } from "../../../support/report-server.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const SIGNAL = new AbortController().signal;

/** The spool of a job that is in progress, at a server whose disk is full for as long as the test says. */
async function open() {
  const { service, submit } = await openReportServer();
  const id = await submit();
  await service.setStatus(id, { status: "INPROGRESS" });
  const path = join(await temporaryDirectory(), id);
  await mkdir(path);
  const disk = { isFull: false, tries: 0 };
  const intake = new ReportIntake({
    report: async (...report) => {
      disk.tries++;
      if (!disk.isFull) return await service.report(...report);
      const problem = "no space is left on the device";
      throw new RingstrasseError({ code: "OUTPUT_UNWRITABLE", path: "/data", problem, remedy: "Free some" });
    },
    reportingRun: (job) => service.reportingRun(job),
    replacePart: (...part) => service.replacePart(...part),
    setStatus: (...change) => service.setStatus(...change),
    detail: (job) => service.detail(job),
  });
  const spool = new SpoolDirectory({ path, id, intake });
  const put = (number: number, report: RunReport) => writeFile(join(path, reportName(number)), encodeReport(report));
  return { service, id, path, disk, spool, put };
}

const WEIGHTS: RunReport = { kind: "modelFile", name: "weights.bin", sizeBytes: 8 };

describe("SpoolDirectory", () => {
  it("tries ever more rarely what the server can't take in, and takes it when it can", async () => {
    const { service, id, path, disk, spool, put } = await open();
    await writeFile(join(path, contentName(1)), "complete");
    await put(1, WEIGHTS);
    disk.isFull = true;
    for (let look = 0; look < 300; look++) {
      const [note] = await spool.takeIn(SIGNAL);
      const problem: unknown = expect.stringContaining("no space is left");
      expect(note).toEqual({ path: join(path, reportName(1)), problem, fault: "server" });
    }
    expect(disk.tries).toBeGreaterThan(5);
    expect(disk.tries).toBeLessThan(10);
    disk.isFull = false;
    let looks = 0;
    while ((await spool.takeIn(SIGNAL)).length > 0) looks++;
    expect(looks).toBeLessThanOrEqual(64);
    expect([...(await service.modelFiles(id)).keys()]).toEqual(["weights.bin"]);
    expect(await readdir(path)).toEqual([]);
  });

  it("does not read a file that there is no room for", async () => {
    const { path, spool, put } = await open();
    // More than the server takes, and nothing of it is there to be read: only its size is.
    const sizeBytes = 2e7;
    await writeFile(join(path, contentName(1)), "");
    await truncate(join(path, contentName(1)), sizeBytes);
    await put(1, { ...WEIGHTS, sizeBytes });
    const [note] = await spool.takeIn(SIGNAL);
    expect(note?.problem).toContain("larger than the 10000000 bytes that one file may have");
  });
});
