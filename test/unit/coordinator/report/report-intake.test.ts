import { describe, expect, it } from "vitest";
import { ReportIntake } from "../../../../coordinator/report/report-intake.js";
import type { TrainEvent } from "../../../../shared/train-events.js";
import { openReportServer, type ReportServer } from "../../../support/report-server.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { startedEvent, stepEvent } from "../../../support/train-events.js";

const BEGIN: TrainEvent[] = [startedEvent(), stepEvent(1, 1), stepEvent(1, 2)];

async function begun(directory?: string) {
  const server = await openReportServer(directory);
  const id = await server.submit();
  await server.service.setStatus(id, { status: "INPROGRESS" });
  return { server, id, intake: new ReportIntake(server.service) };
}

const stepsOf = async ({ service }: ReportServer, id: Awaited<ReturnType<ReportServer["submit"]>>) =>
  (await service.metrics(id, { from: 0, limit: 100 })).steps.map(({ step }) => step);

describe("ReportIntake", () => {
  it("takes a first batch that is repeated once, also when the server has begun anew in between", async () => {
    const directory = await temporaryDirectory();
    const { server, id, intake } = await begun(directory);
    expect(await intake.events(id, { run: "one", from: 0, events: BEGIN })).toEqual({ taken: 3, next: 3 });
    expect(await intake.events(id, { run: "one", from: 0, events: BEGIN })).toEqual({ taken: 0, next: 3 });
    await server.close();
    const { service } = await openReportServer(directory);
    const next = new ReportIntake(service);
    expect(await next.events(id, { run: "one", from: 0, events: BEGIN })).toEqual({ taken: 0, next: 3 });
    expect(await next.events(id, { run: "one", from: 3, events: [stepEvent(2, 3)] })).toEqual({ taken: 1, next: 4 });
  });

  it("takes all of a run that begins anew, also when the server has too", async () => {
    const directory = await temporaryDirectory();
    const { server, id, intake } = await begun(directory);
    await intake.events(id, { run: "one", from: 0, events: [...BEGIN, stepEvent(2, 3)] });
    expect(await intake.events(id, { run: "two", from: 0, events: BEGIN })).toEqual({ taken: 3, next: 3 });
    expect(await stepsOf(server, id)).toEqual([1, 2]);
    await server.close();
    const again = await openReportServer(directory);
    const next = new ReportIntake(again.service);
    expect(await next.events(id, { run: "three", from: 0, events: BEGIN.slice(0, 2) })).toEqual({ taken: 2, next: 2 });
    expect(await stepsOf(again, id)).toEqual([1]);
  });

  it("takes all of another attempt whose run bears the name of the one before", async () => {
    const { server, id, intake } = await begun();
    await intake.events(id, { run: "unnamed", from: 0, events: BEGIN });
    await server.service.setStatus(id, { status: "ERROR" });
    await server.service.setStatus(id, { status: "INPROGRESS" });
    expect(await intake.events(id, { run: "unnamed", from: 0, events: BEGIN })).toEqual({ taken: 3, next: 3 });
  });
});
