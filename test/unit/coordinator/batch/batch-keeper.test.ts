import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { BatchJobName } from "../../../../coordinator/batch/batch-ground.js";
import { REPORT_GRACE_MS } from "../../../../coordinator/batch/decide-batch.js";
import type { JobService } from "../../../../coordinator/service/job-service.js";
import { openJobService } from "../../../../coordinator/service/open-job-service.js";
import { fileNotFound, storeUnavailable } from "../../../../coordinator/store/store-failure.js";
import type { JobDetail } from "../../../../shared/api/job-detail.js";
import { RingstrasseError } from "../../../../shared/failure.js";
import type { JobId } from "../../../../shared/ids.js";
import { createLogger } from "../../../../shared/logger.js";
import { MODEL_FILES } from "../../../../shared/model-file/model-facts.js";
import type { FinishedEvent } from "../../../../shared/train-events.js";
import { writeFailure } from "../../../../shared/write-failure.js";
import { failureOf } from "../../../support/failure-of.js";
import { NO_JUDGE } from "../../../support/no-judge.js";
import { ScriptedBatchGround } from "../../../support/scripted-batch.js";
import { ScriptedGround, stepEvent } from "../../../support/scripted-ground.js";
import { documentXml, STORE_KINDS, upload } from "../../../support/service-place.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

interface Place {
  readonly ground: ScriptedBatchGround;
  readonly service: JobService;
  readonly store: Awaited<ReturnType<(typeof STORE_KINDS)[number]["open"]>>;
  readonly directory: string;
  /** A job that was queued; its batch job, which is about to be handed over. */
  queued(): Promise<{ readonly id: JobId; readonly name: BatchJobName }>;
  /** A job whose batch job the batch system has. */
  handedOver(): ReturnType<Place["queued"]>;
  /** Another service over the same store and batch system, as after the end of the first. */
  reopened(): Promise<JobService>;
}

async function open({ now = Date.now }: { readonly now?: () => number } = {}): Promise<Place> {
  const directory = await temporaryDirectory();
  const store = await (STORE_KINDS.find(({ name }) => name === "memory") ?? STORE_KINDS[0]!).open(directory);
  const ground = new ScriptedBatchGround(join(directory, "batch"));
  const log = createLogger("silent", { process: "test" });
  const openService = async () => {
    const service = await openJobService({ store, ground, judge: NO_JUDGE, dataDirectory: directory, log, now });
    onTestFinished(() => service[Symbol.asyncDispose]());
    return service;
  };
  const service = await openService();
  const queued = async () => {
    await upload({ store }, "rows.txt");
    const { id } = await service.submit({ format: "xml", bytes: Buffer.from(documentXml()) });
    await service.queue(id);
    await expect.poll(() => ground.written.find((name) => name.id === id)).toBeDefined();
    const name = ground.written.find((each) => each.id === id);
    if (name === undefined) throw new Error("not handed over");
    return { id, name };
  };
  const handedOver = async () => {
    const job = await queued();
    await expect.poll(() => ground.scheduler.submitted).toContain(ground.nameOf(job.name));
    return job;
  };
  return { ground, service, store, directory, queued, handedOver, reopened: openService };
}

const AWAY = writeFailure("/shared/jobs", Object.assign(new Error("ESTALE"), { code: "ESTALE", syscall: "mkdir" }));

const NO_ROOM = new RingstrasseError({
  code: "QUOTA_EXCEEDED",
  quota: "files",
  limitBytes: 1000,
  problem: "the files of this server have all the room that they may have",
  remedy: "Delete some",
});

const becomes = (service: JobService, id: JobId, expected: Partial<JobDetail["job"]>) =>
  expect.poll(async () => (await service.detail(id)).job).toMatchObject(expected);

/** The run ends well, and has reported so. */
async function reportEnd(run: ReturnType<ScriptedBatchGround["run"]>, id: JobId): Promise<void> {
  const modelDirectory = await temporaryDirectory();
  for (const name of Object.values(MODEL_FILES)) await writeFile(join(modelDirectory, name), `${name} of ${id}`);
  const finished: FinishedEvent = {
    event: "finished", jobId: id, status: "FINISHED", engine: "wasm", collective: "local", ordered: true, workers: 1,
    replicas: 1, threads: 1, epochs: 1, steps: 2, trainLoss: 0.25, trainAccuracy: 0.75, testLoss: 0.5, testAccuracy: 0.8,
    samplesPerSecond: 100, communicationFraction: 0.1, wallMs: 20, weightsSha256: "1".repeat(64), stateSha256: "0".repeat(64),
    modelDir: modelDirectory,
  }; // biome-ignore format: one line per few fields
  expect(await run.finish({ finished, modelDirectory, documents: [] })).toMatchObject({ kind: "delivered" });
}

/** The run ends well, and the service has heard so. */
async function finish(place: Place, run: ReturnType<ScriptedBatchGround["run"]>, id: JobId): Promise<void> {
  await reportEnd(run, id);
  await becomes(place.service, id, { status: "FINISHED" });
}

describe("jobs as batch jobs", () => {
  it("wait at the batch system, are in progress when their run says so, and leave a model", async () => {
    const place = await open();
    const { service, ground } = place;
    const { id, name } = await place.handedOver();
    ground.scheduler.set(ground.nameOf(name), { kind: "waiting", reason: "JobHeldUser" });
    await expect.poll(async () => (await service.detail(id)).warnings).toEqual(["Batch job 1 waits: JobHeldUser"]);
    expect((await service.detail(id)).job.status).toBe("QUEUED");
    ground.scheduler.set(ground.nameOf(name), { kind: "running" });
    const run = ground.run(name);
    run.report(stepEvent(1));
    await becomes(service, id, { status: "INPROGRESS", attempt: 1 });
    await finish(place, run, id);
    expect([...(await service.modelFiles(id)).keys()].sort()).toEqual(Object.values(MODEL_FILES).sort());
    expect(ground.scheduler.submitted).toEqual([ground.nameOf(name)]);
  });

  it("that report a failure and are queued again by the batch system wait again, and may finish yet", async () => {
    const place = await open();
    const { service, ground } = place;
    const { id, name } = await place.handedOver();
    const first = ground.run(name);
    await becomes(service, id, { status: "INPROGRESS" });
    await first.fail({ code: "INTERRUPTED", signal: "SIGUSR2" });
    ground.scheduler.set(ground.nameOf(name), { kind: "waiting", reason: "BeginTime" });
    const reason = { code: "REPORTED", message: expect.stringContaining("batch job 1 again (interrupted by SIGUSR2") };
    await becomes(service, id, { status: "QUEUED", statusReason: reason });
    ground.scheduler.set(ground.nameOf(name), { kind: "running" });
    const second = ground.run(name);
    await becomes(service, id, { status: "INPROGRESS", attempt: 2 });
    await finish(place, second, id);
    expect(ground.scheduler.submitted).toHaveLength(1);
  });

  it("fail as their run says, once the batch system says that they are over", async () => {
    const { service, ground, handedOver } = await open();
    const { id, name } = await handedOver();
    const run = ground.run(name);
    await run.fail({
      code: "DATA_MISMATCH",
      file: "rows.txt",
      elementPath: null,
      problem: "two columns",
      remedy: "Mend it",
    });
    await becomes(service, id, { status: "INPROGRESS" });
    ground.scheduler.set(ground.nameOf(name), { kind: "ended", state: "FAILED", exitCode: 3 });
    await becomes(service, id, { status: "ERROR" });
    const { failure } = await service.detail(id);
    expect(failure).toMatchObject({ code: "BATCH_FAILED", batchJob: "1", state: "FAILED" });
    expect(failure).toMatchObject({ problem: expect.stringContaining("two columns") });
  });

  it("that are over without a word fail after the time that reports may take, with their log's last words", async () => {
    let nowMs = 1_000_000;
    let looks = 0;
    const { service, ground, handedOver } = await open({
      now: () => {
        looks++;
        nowMs += 1000;
        return nowMs;
      },
    });
    const { id, name } = await handedOver();
    ground.log = "ringstrasse: node2: /rows is not there\n";
    ground.scheduler.set(ground.nameOf(name), { kind: "ended", state: "NODE_FAIL", exitCode: 0 });
    await becomes(service, id, { status: "ERROR" });
    expect(1000 * looks).toBeGreaterThan(REPORT_GRACE_MS);
    expect((await service.detail(id)).failure).toMatchObject({
      state: "NODE_FAIL",
      problem: "node2: /rows is not there",
    });
  });

  it("that are over keep what they have reported for as long as the server has no room for it, and finish then", async () => {
    let nowMs = 1_000_000;
    const { service, ground, store, handedOver } = await open({ now: () => (nowMs += 5) });
    const { id, name } = await handedOver();
    const full = vi.spyOn(store.files, "add").mockRejectedValue(NO_ROOM);
    const asked = vi.spyOn(ground.scheduler, "states");
    await reportEnd(ground.run(name), id);
    ground.scheduler.set(ground.nameOf(name), { kind: "ended", state: "COMPLETED", exitCode: 0 });
    const told = [expect.stringContaining("can't take it in: the files of this server")];
    await expect.poll(async () => (await service.detail(id)).warnings).toEqual(told);
    for (let look = 0; look < 3; look++) {
      nowMs += 2 * REPORT_GRACE_MS;
      const before = asked.mock.calls.length;
      await expect.poll(() => asked.mock.calls.length).toBeGreaterThan(before + 1);
    }
    expect((await service.detail(id)).job.status).toBe("INPROGRESS");
    expect((await service.detail(id)).warnings).toEqual(told);
    expect(ground.tidied).toEqual([]);
    full.mockRestore();
    await expect.poll(async () => (await service.detail(id)).job.status, { timeout: 30_000 }).toBe("FINISHED");
    expect([...(await service.modelFiles(id)).keys()].sort()).toEqual(Object.values(MODEL_FILES).sort());
    await expect.poll(() => ground.tidied).toEqual([name]);
  });

  it("are cancelled there too, and nobody listens to what they still report", async () => {
    const { service, ground, queued } = await open();
    const { id, name } = await queued();
    const run = ground.run(name);
    await becomes(service, id, { status: "INPROGRESS" });
    await service.cancel(id);
    expect(ground.scheduler.cancelled).toEqual(["1"]);
    expect(ground.tidied).toEqual([name]);
    await run.fail({ code: "INTERRUPTED", signal: "SIGTERM" });
    const late = ground.run(name);
    late.report(stepEvent(1));
    expect((await service.detail(id)).failure).toMatchObject({ code: "CANCELLED" });
    await service.queue(id);
    await expect.poll(() => ground.written).toHaveLength(2);
    expect(ground.written[1]?.key).not.toBe(name.key);
    await late[Symbol.asyncDispose]();
  });

  it("leave nothing when they are removed, though their run still saves and reports when it is told to end", async () => {
    const { service, ground, handedOver } = await open();
    const { id, name } = await handedOver();
    const run = ground.run(name);
    await becomes(service, id, { status: "INPROGRESS" });
    const cancelled = vi.spyOn(ground.scheduler, "cancel").mockResolvedValue();
    await service.remove(id);
    expect(cancelled).toHaveBeenCalledWith("1", expect.anything());
    expect(ground.forgotten).toEqual([id]);
    await run.fail({ code: "INTERRUPTED", signal: "SIGTERM" });
    expect(existsSync(ground.reportsOf(name))).toBe(true);
    ground.scheduler.set(ground.nameOf(name), { kind: "ended", state: "CANCELLED", exitCode: null });
    await expect.poll(() => ground.forgotten).toEqual([id, id]);
    expect(existsSync(dirname(dirname(ground.reportsOf(name))))).toBe(false);
  });

  it("stay as they are while the batch system does not answer", async () => {
    const { service, ground, queued } = await open();
    const { id } = await queued();
    ground.scheduler.outage = "unable to contact the controller";
    expect(await failureOf(() => service.cancel(id))).toMatchObject({
      code: "BATCH_REFUSED",
      problem: ground.scheduler.outage,
    });
    expect((await service.detail(id)).job.status).toBe("QUEUED");
    ground.scheduler.outage = null;
    await service.remove(id);
    expect(ground.scheduler.cancelled).toEqual(["1"]);
  });

  it("are tried again when the batch system wants no more for now, and told so", async () => {
    const place = await open();
    place.ground.scheduler.putOff = 2;
    const { id } = await place.queued();
    await expect.poll(() => place.ground.scheduler.submitted).toHaveLength(1);
    expect((await place.service.detail(id)).warnings).toContain("It will be handed over later: too many jobs wait");
  });

  it("that are cancelled before their turn to be handed over comes can be queued again", async () => {
    const { service, ground, store } = await open();
    const queued = store.jobs.queued.bind(store.jobs);
    const seen: JobId[] = [];
    const gate = new EventTarget();
    const look = vi.spyOn(store.jobs, "queued").mockImplementation(async (limit, after) => {
      const page = await queued(limit, after);
      const opened = once(gate, "open");
      seen.push(...page.map(({ id }) => id));
      if (page.length > 0) await opened;
      return page;
    });
    await upload({ store }, "rows.txt");
    const { id } = await service.submit({ format: "xml", bytes: Buffer.from(documentXml()) });
    await service.queue(id);
    await expect.poll(() => seen).toEqual([id]);
    await service.cancel(id);
    look.mockRestore();
    gate.dispatchEvent(new Event("open"));
    await becomes(service, id, { status: "ERROR" });
    await service.queue(id);
    await expect.poll(() => ground.scheduler.submitted).toHaveLength(1);
  });

  it("wait for a batch system that is away when they are queued, and are told so once", async () => {
    const place = await open();
    const { service, ground } = place;
    ground.scheduler.outage = "unable to contact the controller";
    const { id } = await place.queued();
    const told = `It will be handed over later: ${ground.scheduler.outage}`;
    await expect.poll(async () => (await service.detail(id)).warnings).toEqual([told]);
    await expect.poll(() => ground.scheduler.refusals).toBeGreaterThan(2);
    expect((await service.detail(id)).warnings).toEqual([told]);
    ground.scheduler.outage = null;
    await expect.poll(() => ground.scheduler.submitted).toHaveLength(1);
    expect((await service.detail(id)).job.status).toBe("QUEUED");
  });

  it("wait for a shared file system that can't be written when they are queued", async () => {
    const place = await open();
    const { service, ground } = place;
    const written = vi.spyOn(ground, "write").mockRejectedValueOnce(AWAY);
    const { id } = await place.queued();
    await expect.poll(() => ground.scheduler.submitted).toHaveLength(1);
    const { job, warnings } = await service.detail(id);
    expect([job.status, job.statusReason, warnings]).toEqual(["QUEUED", null, [expect.stringContaining("/shared")]]);
    expect(written).toHaveBeenCalledTimes(2);
  });

  it("are handed over once, though their number could not be kept", async () => {
    const place = await open();
    const { ground, service, store } = place;
    const record = store.jobs.recordRun.bind(store.jobs);
    let failures = 0;
    vi.spyOn(store.jobs, "recordRun").mockImplementation((id, plan) => {
      if (typeof plan.batch?.batchJob !== "string" || failures++ > 0) return record(id, plan);
      return Promise.reject(storeUnavailable("store.db", "no space is left", "Free some"));
    });
    const { id, name } = await place.queued();
    await expect.poll(() => failures).toBe(2);
    const run = ground.run(name);
    await becomes(service, id, { status: "INPROGRESS" });
    await finish(place, run, id);
    expect(ground.scheduler.submitted).toHaveLength(1);
  });

  it("are refused by name, never queued for ever", async () => {
    const place = await open();
    place.ground.nameOf = () => "impossible";
    const { id } = await place.queued();
    await becomes(place.service, id, { status: "ERROR" });
    expect((await place.service.detail(id)).failure).toMatchObject({
      code: "BATCH_REFUSED",
      problem: "there is no partition night",
    });
    expect(place.ground.tidied).toEqual(place.ground.written);
  });

  it("fail by name when their data is deleted while it is copied", async () => {
    const { service, ground, store } = await open();
    const data = await upload({ store }, "rows.txt");
    vi.spyOn(ground, "write").mockRejectedValueOnce(fileNotFound(data.id));
    const { id } = await service.submit({ format: "xml", bytes: Buffer.from(documentXml()) });
    await service.queue(id);
    await becomes(service, id, { status: "ERROR" });
    expect((await service.detail(id)).failure).toMatchObject({ code: "NOT_FOUND", what: "file", id: data.id });
  });

  it("are found again by the next service, with what was reported meanwhile; nothing is submitted twice", async () => {
    const place = await open();
    const { ground } = place;
    const { id, name } = await place.queued();
    await expect.poll(() => ground.scheduler.submitted).toHaveLength(1);
    await place.service[Symbol.asyncDispose]();
    const run = ground.run(name);
    run.report(stepEvent(1));
    const service = await place.reopened();
    await becomes(service, id, { status: "INPROGRESS" });
    await finish({ ...place, service }, run, id);
    expect(ground.scheduler.submitted).toHaveLength(1);
  });

  it("are found by their name when the service ended before it had heard their number", async () => {
    const place = await open();
    const { ground, store } = place;
    const { id, name } = await place.queued();
    await expect.poll(() => ground.scheduler.submitted).toHaveLength(1);
    await place.service[Symbol.asyncDispose]();
    await store.jobs.recordRun(id, { batch: { key: name.key, batchJob: null, reported: null } });
    const service = await place.reopened();
    const run = ground.run(name);
    await becomes(service, id, { status: "INPROGRESS" });
    await run[Symbol.asyncDispose]();
    expect(ground.scheduler.submitted).toHaveLength(1);
  });

  it("are found by their name, too, when the batch system is away as the next service starts", async () => {
    const place = await open();
    const { ground, store } = place;
    const { id, name } = await place.queued();
    await expect.poll(() => ground.scheduler.submitted).toHaveLength(1);
    await place.service[Symbol.asyncDispose]();
    await store.jobs.recordRun(id, { batch: { key: name.key, batchJob: null, reported: null } });
    ground.scheduler.outage = "unable to contact the controller";
    const service = await place.reopened();
    const told = `It will be handed over later: ${ground.scheduler.outage}`;
    await expect.poll(async () => (await service.detail(id)).warnings).toEqual([told]);
    expect((await service.detail(id)).job.status).toBe("QUEUED");
    ground.scheduler.outage = null;
    const run = ground.run(name);
    await becomes(service, id, { status: "INPROGRESS" });
    await run[Symbol.asyncDispose]();
    expect(ground.scheduler.submitted).toHaveLength(1);
  });

  it("go on when the folder of another one can't be read", async () => {
    const place = await open();
    const { service, ground } = place;
    const broken = await place.queued();
    const path = ground.reportsOf(broken.name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "no folder");
    const { id, name } = await place.queued();
    const run = ground.run(name);
    await becomes(service, id, { status: "INPROGRESS" });
    await finish(place, run, id);
    await rm(path);
    const late = ground.run(broken.name);
    await becomes(service, broken.id, { status: "INPROGRESS" });
    await late[Symbol.asyncDispose]();
  });

  it("end although nobody says how another one has ended, and that one when it is said", async () => {
    const { service, ground, handedOver } = await open();
    const untold = await handedOver();
    ground.scheduler.unanswered.add("1");
    const { id, name } = await handedOver();
    for (const each of [untold, { id, name }]) {
      await ground.run(each.name).fail({ code: "INTERNAL", problem: "it broke" });
      ground.scheduler.set(ground.nameOf(each.name), { kind: "ended", state: "FAILED", exitCode: 3 });
    }
    await becomes(service, id, { status: "ERROR" });
    await becomes(service, untold.id, { status: "INPROGRESS" });
    ground.scheduler.unanswered.clear();
    await becomes(service, untold.id, { status: "ERROR" });
  });

  it("end although their folder can't be tidied", async () => {
    const place = await open();
    const { service, ground } = place;
    let tried = 0;
    ground.tidy = () => {
      tried++;
      return Promise.reject(Object.assign(new Error("EBUSY: in use"), { code: "EBUSY", syscall: "rm" }));
    };
    const { id, name } = await place.handedOver();
    ground.scheduler.set(ground.nameOf(name), { kind: "ended", state: "FAILED", exitCode: 3 });
    await ground.run(name).fail({ code: "INTERNAL", problem: "it broke" });
    await becomes(service, id, { status: "ERROR" });
    await service.queue(id);
    await expect.poll(() => ground.scheduler.submitted).toHaveLength(2);
    expect(tried).toBe(1);
  });

  it("are nobody else's: a status from outside is refused, and a server with workers does not train them too", async () => {
    const { service, store, directory, queued } = await open();
    const { id } = await queued();
    const outside = await failureOf(() => service.setStatus(id, { status: "INPROGRESS" }));
    expect(outside).toMatchObject({ code: "CONFLICT", problem: expect.stringContaining("batch job of this server") });
    await service[Symbol.asyncDispose]();
    const log = createLogger("silent", { process: "test" });
    const other = { store, ground: new ScriptedGround(1), judge: NO_JUDGE, dataDirectory: directory, log };
    const failure = await failureOf(() => openJobService(other));
    expect(failure).toMatchObject({ code: "USAGE", option: "--launcher", problem: expect.stringContaining(id) });
  });
});
