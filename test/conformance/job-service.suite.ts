import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { FileIdSchema } from "../../coordinator/store/object-id.js";
import { filesOf } from "../../coordinator/vinnsl/object/apply-file.js";
import { partOf } from "../../coordinator/vinnsl/object/vinnsl-object.js";
import { JobDetailSchema } from "../../shared/api/job-detail.js";
import { JobEventSchema } from "../../shared/api/job-event.js";
import { JobMetricsSchema } from "../../shared/api/job-metrics.js";
import { JobPageSchema } from "../../shared/api/job-summary.js";
import type { JobId } from "../../shared/ids.js";
import { failureOf } from "../support/failure-of.js";
import { epochEvent, stepEvent } from "../support/scripted-ground.js";
import {
  type DocumentText,
  documentXml,
  reopened,
  type ServicePlace,
  type StoreKind,
  servicePlace,
  upload,
} from "../support/service-place.js";

const xml = (text: string) => ({ format: "xml" as const, bytes: Buffer.from(text) });

/** A submitted job whose data is there. */
async function submitted(place: ServicePlace, text: DocumentText = {}, priority = 0): Promise<JobId> {
  await upload(place, "rows.txt");
  return (await place.service.submit({ ...xml(documentXml(text)), priority })).id;
}

async function queued(place: ServicePlace, text: DocumentText = {}, priority = 0): Promise<JobId> {
  const id = await submitted(place, text, priority);
  await place.service.queue(id);
  return id;
}

/** The job's events from the first to the first of this kind, or status of this name, that comes after number `after`. */
async function heardUntil({ service }: ServicePlace, id: JobId, until: string, after = 0) {
  const heard: { sequence: number; event: ReturnType<typeof JobEventSchema.parse> }[] = [];
  const controller = new AbortController();
  for await (const { sequence, kind, data } of service.follow(id, after, controller.signal)) {
    const event = JobEventSchema.parse(JSON.parse(data));
    expect(kind).toBe(event.event);
    heard.push({ sequence, event });
    if (event.event === until || (event.event === "status" && event.status === until)) break;
  }
  return heard;
}

/** What every service promises, whatever its store. */
export function jobServiceSuite(kind: StoreKind): void {
  describe(`a job service over a ${kind.name} store`, () => {
    const open = (workers = 1) => servicePlace(kind, workers);

    describe("documents", () => {
      it("keeps an object under the job's id, with its title, its XML as it came", async () => {
        const { service } = await open();
        const text = documentXml();
        const job = await service.submit(xml(text));
        expect(job).toMatchObject({ status: "CREATED", title: "My network", document: { xml: text } });
        const { object } = await service.object(job.id);
        expect(partOf(object, "identifier")?.content).toEqual([job.id]);
        expect(await service.statuses()).toEqual({ [job.id]: "CREATED" });
      });

      it("refuses at submission what can't be trained, naming element and line, and keeps nothing", async () => {
        const { service } = await open();
        const lines = documentXml({ hardware: { engine: "steam" } }).replace("<parallel>", "\n\n<parallel>");
        expect(await failureOf(() => service.submit(xml(lines)))).toMatchObject({
          code: "DOCUMENT_UNSUPPORTED",
          elementPath: expect.stringMatching(/^\/vinnsl\/definition\/executionEnvironment\/.*comboparameter/),
          supported: ["auto", "wasm", "tensorflow", "tensorflow-gpu"],
        });
        const wrong = documentXml().replace("<size>4</size>", "\n<size>-4</size>");
        const failure = await failureOf(() => service.submit(xml(wrong)));
        expect(failure).toMatchObject({ code: "DOCUMENT_INVALID" });
        expect("line" in failure && failure.line).toBeGreaterThan(10);
        const contradiction = documentXml({ hardware: { minWorkers: 3, maxWorkers: 2 } });
        expect(await failureOf(() => service.submit(xml(contradiction)))).toMatchObject({
          code: "DOCUMENT_INVALID",
          elementPath: expect.stringContaining("hardware"),
          problem: expect.stringContaining("minWorkers is 3"),
        });
        expect(await service.statuses()).toEqual({});
      });

      it("takes an object in parts; without definition it can't be queued", async () => {
        const { service } = await open();
        const description = "<vinnsl><description><identifier>x</identifier></description></vinnsl>";
        const { id } = await service.submit(xml(description));
        expect(await failureOf(() => service.queue(id))).toMatchObject({
          code: "DOCUMENT_INVALID",
          elementPath: "/vinnsl",
          remedy: expect.stringContaining("PUT /vinnsl/{id}/definition"),
        });
        const definition = /<definition>[\s\S]*<\/definition>/.exec(documentXml())?.[0] ?? "";
        const { object } = await service.replacePart(id, "definition", xml(definition));
        expect(partOf(object, "definition")).toBeDefined();
        const nonsense = definition.replace("<size>4</size>", "<size>none</size>");
        expect(await failureOf(() => service.replacePart(id, "definition", xml(nonsense)))).toMatchObject({
          code: "DOCUMENT_INVALID",
          line: expect.any(Number),
        });
      });

      it("keeps all of many changes at once", async () => {
        const place = await open();
        const id = await submitted(place);
        const file = await upload(place, "other.txt");
        const part = (text: string) => xml(`<trainingresult><note>${text}</note></trainingresult>`);
        await Promise.all([
          place.service.addFile(id, file.id),
          ...Array.from({ length: 10 }, (_, index) =>
            place.service.replacePart(id, "trainingresult", part(`${index}`)),
          ),
        ]);
        const { object, job } = await place.service.object(id);
        expect(filesOf(object).data).toBe(file.id);
        expect(partOf(object, "trainingresult")).toBeDefined();
        expect(job.version).toBe(12);
      });

      it("names data that isn't there when the job is queued, and unknown files at once", async () => {
        const { service } = await open();
        const { id } = await service.submit(xml(documentXml({ data: "name/none.txt" })));
        expect(await failureOf(() => service.queue(id))).toMatchObject({
          code: "DATA_MISMATCH",
          file: "none.txt",
          elementPath: "/vinnsl/definition/data/dataSchemaID",
        });
        const { id: without } = await service.submit(xml(documentXml({ data: "" })));
        expect(await failureOf(() => service.queue(without))).toMatchObject({
          code: "DATA_MISMATCH",
          remedy: expect.stringContaining("addfile"),
        });
        const unknown = "0123456789abcdef01234567";
        expect(await failureOf(() => service.addFile(id, unknown))).toMatchObject({ code: "NOT_FOUND", what: "file" });
        expect(await failureOf(() => service.addFile(unknown as JobId, unknown))).toMatchObject({ what: "job" });
        expect(await service.counts()).toMatchObject({ CREATED: 2, QUEUED: 0 });
      });

      it("derives a DL4J configuration until somebody stores one", async () => {
        const place = await open();
        const id = await submitted(place);
        const derived = await place.service.dl4j(id);
        expect(JSON.parse(derived.text)).toMatchObject({ confs: [{}, {}] });
        expect(derived.differences.length).toBeGreaterThan(0);
        await place.service.replaceDl4j(id, Buffer.from('{"mine": 1}'));
        expect(await place.service.dl4j(id)).toEqual({ text: '{"mine": 1}', differences: [] });
        const list = () => place.service.replaceDl4j(id, Buffer.from("[1]"));
        expect(await failureOf(list)).toMatchObject({
          code: "DOCUMENT_INVALID",
          problem: expect.stringContaining("array"),
        });
      });
    });

    describe("a run", () => {
      it("goes from queue to result, all of which is there when it is FINISHED", async () => {
        const place = await open();
        const id = await queued(place);
        const run = await place.ground.next();
        expect(run.id).toBe(id);
        run.start();
        run.step(2);
        run.epoch();
        run.finish();
        const heard = await heardUntil(place, id, "FINISHED");
        const { service, store } = place;
        expect(heard.map(({ sequence }) => sequence)).toEqual(heard.map((_, index) => index + 1));
        const kinds = heard.map(({ event }) => (event.event === "status" ? event.status : event.event));
        expect(kinds.filter((name) => name !== "warning")).toEqual([
          "QUEUED", "INPROGRESS", "started", "generation", "step", "step", "epoch", "finished", "FINISHED",
        ]); // biome-ignore format: one line
        const detail = JobDetailSchema.parse(await service.detail(id));
        expect(detail).toMatchObject({
          job: { status: "FINISHED", attempt: 1, workers: 1, epoch: 1, epochs: 3, step: 2, trainAccuracy: 0.75 },
          failure: null,
          started: { jobId: id, configuration: { data: "rows.txt", document: id } },
          lastStep: { step: 2 },
          result: { jobId: id, weightsSha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
          lastEventId: heard.length,
        });
        const models = await service.modelFiles(id);
        expect([...models.keys()].sort()).toEqual(["model.json", "model.safetensors", "weights.bin"]);
        const { object } = await service.object(id);
        for (const part of ["instance", "trainingresult", "result"] as const)
          expect(partOf(object, part)).toBeDefined();
        const names = detail.files.map(({ name }) => name);
        for (const name of ["result.json", "trainingresult.xml", "resultschema.xml", "instanceschema.xml"]) {
          expect(names).toContain(`${id}-${name}`);
          expect(await store.files.latest(`${id}-${name}`)).not.toBeNull();
        }
        expect(JobMetricsSchema.parse(await service.metrics(id, { from: 0, limit: 100 }))).toMatchObject({
          epochs: [{ epoch: 1, testAccuracy: 0.8 }],
          steps: [{ step: 1, loss: 1, wallMs: 3 }, { step: 2 }],
        });
        JobPageSchema.parse(await service.page({ limit: 10 }));
        expect(await readdir(join(place.directory, "lent"))).toEqual([]);
      });

      it("shows steps and progress while it goes on", async () => {
        const place = await open();
        const id = await queued(place);
        const run = await place.ground.next();
        const events = place.service.follow(id, 0, new AbortController().signal)[Symbol.asyncIterator]();
        run.start();
        run.step(500);
        run.epoch();
        let last = await events.next();
        while (last.done !== true && last.value.kind !== "epoch") last = await events.next();
        const detail = await place.service.detail(id);
        expect(detail).toMatchObject({
          job: { status: "INPROGRESS", epoch: 1, step: 500, trainLoss: 1, samplesPerSecond: 100 },
          lastStep: { step: 500 },
          result: null,
        });
        const { steps } = await place.service.metrics(id, { from: 0, limit: 1000 });
        expect(steps).toHaveLength(500);
        expect((await place.service.metrics(id, { from: 490, limit: 5 })).steps.at(-1)?.step).toBe(500);
        await events.return?.();
      });

      it("that fails leaves ERROR with the whole failure, and can be run again with a fresh story", async () => {
        const place = await open();
        const id = await queued(place);
        const first = await place.ground.next();
        first.start();
        first.step(1);
        first.fail({
          code: "NOT_FINITE",
          epoch: 1,
          step: 2,
          tensor: "loss",
          value: "NaN",
          learningRate: 9,
          remedy: "Less",
        });
        const heard = await heardUntil(place, id, "ERROR");
        expect(heard.at(-2)?.event).toMatchObject({ event: "failed", code: "NOT_FINITE" });
        const detail = await place.service.detail(id);
        expect(detail).toMatchObject({ failure: { code: "NOT_FINITE", learningRate: 9 }, job: { attempt: 1 } });
        await place.service.queue(id, { priority: 4 });
        const second = await place.ground.next();
        expect(await place.service.detail(id)).toMatchObject({
          job: { attempt: 2, priority: 4, step: 0 },
          failure: null,
          started: null,
          lastStep: null,
        });
        second.finish();
        await heardUntil(place, id, "FINISHED");
      });

      it("again replaces the files of the one before once it is FINISHED", async () => {
        const place = await open();
        const id = await queued(place);
        (await place.ground.next()).finish();
        const heard = await heardUntil(place, id, "FINISHED");
        const before = await place.service.modelFiles(id);
        await place.service.queue(id);
        const run = await place.ground.next();
        expect(await place.service.modelFiles(id)).toEqual(before);
        run.finish();
        await heardUntil(place, id, "FINISHED", heard.length);
        await place.service[Symbol.asyncDispose]();
        const after = await place.service.modelFiles(id);
        expect([...after.keys()]).toEqual([...before.keys()]);
        const { files } = await place.store.files.list({ limit: 100 });
        for (const old of before.values()) expect(files.map((file) => file.id)).not.toContain(old);
      });

      it("can't begin with data that doesn't fit: the error names the file as it was stored", async () => {
        const place = await open();
        await upload(place, "rows.txt", "1,2,3,4,0\n5,6,7,8,1\n");
        const { id } = await place.service.submit(xml(documentXml()));
        await place.service.queue(id);
        await heardUntil(place, id, "ERROR");
        const { failure } = await place.service.detail(id);
        expect(failure).toMatchObject({ code: "DATA_MISMATCH", file: "rows.txt" });
        expect(JSON.stringify(failure)).not.toContain(place.directory);
        expect(place.ground.runsSoFar).toBe(0);
      });
    });

    describe("the queue", () => {
      it("keeps a job waiting whose worker went before it could start", async () => {
        const place = await open(1);
        const { ground, service } = place;
        ground.isLosing = true;
        const id = await queued(place);
        await expect.poll(() => ground.isLosing).toBe(false);
        await expect.poll(async () => (await service.detail(id)).job.status).toBe("QUEUED");
        ground.setPresent(1);
        const run = await ground.next();
        run.finish();
        await heardUntil(place, id, "FINISHED");
      });

      it("is told to those that ask every second by its beginning and its length", async () => {
        const place = await open(0);
        const { service, store } = place;
        await upload(place, "rows.txt");
        const bytes = Buffer.from(documentXml());
        const ids = await Promise.all(Array.from({ length: 120 }, () => service.submit({ format: "xml", bytes })));
        for (const { id } of ids) await service.queue(id);
        const reads = vi.spyOn(store.jobs, "queued");
        const { queue, queued: length } = await service.cluster();
        expect(reads.mock.calls).toEqual([[100]]);
        expect(length).toBe(120);
        expect(queue).toEqual((await service.queuedIds()).slice(0, 100));
      });

      it("starts by priority, then in order, side by side as workers allow, on as many as each may have", async () => {
        const place = await open(0);
        const { ground, service } = place;
        const low = await queued(place, { hardware: { maxWorkers: 4 } }, -1);
        const first = await queued(place);
        const second = await queued(place, { hardware: { minWorkers: 1, maxWorkers: 2 } });
        const high = await queued(place, {}, 7);
        expect(await service.queuedIds()).toEqual([high, first, second, low]);
        expect(await service.cluster()).toMatchObject({ queue: [high, first, second, low], queued: 4 });
        ground.setPresent(4);
        const runs = [await ground.next(), await ground.next(), await ground.next()];
        const workersOf = Object.fromEntries(runs.map(({ id, run }) => [id, run.policy.workers]));
        expect(workersOf).toEqual({ [high]: 1, [first]: 1, [second]: 2 });
        expect(runs.find(({ id }) => id === second)?.run.spec.replicas).toBe(2);
        for (const run of runs) run.finish();
        const last = await ground.next();
        expect(last.id).toBe(low);
        expect(last.run.spec.replicas).toBe(4);
        last.finish();
        await heardUntil(place, low, "FINISHED");
        expect(ground.mostBusy).toBe(4);
      });

      it("lets nobody overtake a job that waits for others, but passes over one that needs more than there are", async () => {
        const place = await open(2);
        const { ground, service } = place;
        const huge = await queued(place, { hardware: { workers: 3 } });
        const one = await queued(place);
        const run = await ground.next();
        expect(run.id).toBe(one);
        const two = await queued(place, { hardware: { workers: 2 } });
        const behind = await queued(place);
        expect(await service.queuedIds()).toEqual([huge, two, behind]);
        expect((await service.detail(huge)).warnings).toEqual([
          expect.stringContaining("needs 3 workers and 2 are here"),
        ]);
        run.finish();
        const next = await ground.next();
        expect(next.id).toBe(two);
        next.finish();
        const after = await ground.next();
        expect(after.id).toBe(behind);
        ground.setPresent(4);
        expect((await ground.next()).run.policy.workers).toBe(3);
        expect((await service.detail(huge)).warnings).toHaveLength(1);
      });

      it("tells no job that there are too few workers while there are none, and then each of them once", async () => {
        const place = await open(0);
        const { ground, store } = place;
        const huge: JobId[] = [];
        for (let count = 0; count < 3; count++) huge.push(await queued(place, { hardware: { workers: 3 } }));
        const one = await queued(place);
        const kinds = async (id: JobId) => (await store.jobs.events(id, 0, 9)).events.map(({ kind }) => kind);
        for (const id of huge) expect(await kinds(id)).toEqual(["status"]);
        for (let time = 0; time < 3; time++) ground.setPresent(1);
        const run = await ground.next();
        expect(run.id).toBe(one);
        for (const id of huge) await heardUntil(place, id, "warning");
        for (let time = 0; time < 3; time++) ground.setPresent(2);
        run.finish();
        await heardUntil(place, one, "FINISHED");
        for (const id of huge) expect(await kinds(id)).toEqual(["status", "warning"]);
        const next = await reopened(place, 0);
        for (const id of huge) expect(await kinds(id)).toEqual(["status", "warning"]);
        await next.service[Symbol.asyncDispose]();
        for (const id of huge) expect(await kinds(id)).toEqual(["status", "warning"]);
      });

      it("gives each job workers that have its engine: one waits for busy ones, and none for those of another", async () => {
        const place = await open(1);
        const { ground, service } = place;
        ground.addOthers("tensorflow-gpu", 1);
        const gpu = () => queued(place, { hardware: { engine: "tensorflow-gpu" } });
        const plain = await queued(place);
        const runs = [await ground.next()];
        const first = await gpu();
        runs.push(await ground.next());
        expect(runs.map(({ id }) => id)).toEqual([plain, first]);
        const second = await gpu();
        runs[0]?.finish();
        await heardUntil(place, plain, "FINISHED");
        expect((await service.detail(second)).job).toMatchObject({ status: "QUEUED", attempt: 0 });
        runs[1]?.finish();
        expect((await ground.next()).id).toBe(second);
        expect((await service.detail(second)).warnings).toEqual([]);
      });

      it("refuses what is queued or in progress already, and changes of what it is to do", async () => {
        const place = await open(0);
        const id = await queued(place);
        expect(await failureOf(() => place.service.queue(id))).toMatchObject({
          code: "CONFLICT",
          remedy: expect.stringContaining("INPROGRESS, ERROR"),
        });
        const file = await upload(place, "x");
        expect(await failureOf(() => place.service.addFile(id, file.id))).toMatchObject({ code: "CONFLICT" });
        expect(await failureOf(() => place.service.replacePart(id, "definition", xml(documentXml())))).toMatchObject({
          code: "CONFLICT",
        });
      });

      it("takes two requests for one job as one", async () => {
        const place = await open(0);
        const id = await submitted(place);
        const results = await Promise.allSettled([place.service.queue(id), place.service.queue(id)]);
        expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      });

      it("does a thousand jobs, one after the other", async () => {
        const place = await open(2);
        place.ground.setPresent(0);
        place.ground.isAutomatic = true;
        await upload(place, "rows.txt");
        const body = xml(documentXml());
        const ids: JobId[] = [];
        for (let index = 0; index < 50; index++) {
          const jobs = await Promise.all(Array.from({ length: 20 }, () => place.service.submit(body)));
          ids.push(...jobs.map(({ id }) => id));
        }
        await Promise.all(ids.map((id) => place.service.queue(id)));
        expect(await place.service.counts()).toMatchObject({ QUEUED: 1000 });
        expect(await place.service.removeAll()).toBe(1000);
        const kept = await Promise.all(ids.slice(0, 20).map(() => queued(place)));
        place.ground.setPresent(2);
        await Promise.all(kept.map((id) => heardUntil(place, id, "FINISHED")));
        expect(place.ground.runsSoFar).toBe(20);
        expect(place.ground.mostBusy).toBe(2);
      }, 120_000);
    });

    describe("cancelling and removing", () => {
      it("ends a waiting job at once, and a running one when its workers are free", async () => {
        const place = await open();
        const running = await queued(place);
        const run = await place.ground.next();
        const waiting = await queued(place);
        expect(await place.service.cancel(waiting)).toMatchObject({
          status: "ERROR",
          statusReason: { code: "CANCELLED" },
        });
        expect(await place.service.cancel(running)).toMatchObject({
          status: "ERROR",
          statusReason: { code: "CANCELLED" },
        });
        expect(run.signal.aborted).toBe(true);
        expect(place.ground.capacity().idle).toBe(1);
        expect(await failureOf(() => place.service.cancel(running))).toMatchObject({
          code: "CONFLICT",
          remedy: expect.stringContaining("QUEUED"),
        });
      });

      it("ends a job that is just about to start, at whatever moment", async () => {
        const place = await open();
        for (let turns = 0; turns < 12; turns++) {
          const id = await queued(place);
          for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
          expect(await place.service.cancel(id)).toMatchObject({
            status: "ERROR",
            statusReason: { code: "CANCELLED" },
          });
          expect((await place.service.detail(id)).job.status).toBe("ERROR");
        }
        expect(place.ground.capacity().idle).toBe(1);
        const id = await queued(place);
        let run = await place.ground.next();
        while (run.id !== id) run = await place.ground.next();
        run.finish();
        await heardUntil(place, id, "FINISHED");
      });

      it("removes a job with its files and its output, running or not, and ends its followers", async () => {
        const place = await open();
        const done = await queued(place);
        (await place.ground.next()).finish();
        await heardUntil(place, done, "FINISHED");
        const running = await queued(place);
        await place.ground.next();
        const follower = (async () => {
          for await (const _event of place.service.follow(running, 0, new AbortController().signal));
        })();
        const outcomes = await Promise.allSettled([place.service.remove(running), place.service.remove(running)]);
        expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
        await follower;
        await place.service.remove(done);
        expect(await place.service.statuses()).toEqual({});
        expect(await readdir(join(place.directory, "runs"))).toEqual([]);
        const { files } = await place.store.files.list({ limit: 100 });
        expect([...new Set(files.map(({ name }) => name))]).toEqual(["rows.txt"]);
        expect(await failureOf(() => place.service.remove(done))).toMatchObject({
          code: "NOT_FOUND",
          what: "job",
          id: done,
        });
      });

      it("knows no unknown job", async () => {
        const { service } = await open();
        const id = "0123456789abcdef01234567" as JobId;
        const calls = [
          () => service.object(id),
          () => service.queue(id),
          () => service.cancel(id),
          () => service.setStatus(id, { status: "ERROR" }),
          () => service.detail(id),
          () => service.metrics(id, { from: 0, limit: 1 }),
          () => service.modelFiles(id),
          () => service.dl4j(id),
          () => service.report(id, { kind: "events", events: [] }),
          () => service.follow(id, 0, new AbortController().signal)[Symbol.asyncIterator]().next(),
        ];
        for (const call of calls) expect(await failureOf(call)).toMatchObject({ code: "NOT_FOUND", what: "job", id });
      });
    });

    describe("the end of the server", () => {
      it("sends running jobs back to their places, without blame, and ends followers", async () => {
        const place = await open();
        const first = await queued(place);
        await place.ground.next();
        const second = await queued(place);
        const follower = heardUntil(place, first, "never");
        await place.service[Symbol.asyncDispose]();
        await follower;
        expect(await place.service.queuedIds()).toEqual([first, second]);
        for (let restart = 0; restart < 4; restart++) {
          const again = await reopened(place);
          expect((await again.ground.next()).id).toBe(first);
          await again.service[Symbol.asyncDispose]();
        }
        const last = await reopened(place);
        (await last.ground.next()).finish();
        await heardUntil(last, first, "FINISHED");
        expect((await last.service.detail(first)).job.attempt).toBe(6);
      });

      it("that came without warning: its jobs wait again, and after three times fail", async () => {
        const place = await open();
        const id = await queued(place);
        await place.ground.next();
        for (const expected of ["QUEUED", "QUEUED", "ERROR"]) {
          // A service that never hears of the first one's run is what a new process is.
          const again = await reopened(place, 0);
          const { job, failure } = await again.service.detail(id);
          expect(job.status).toBe(expected);
          expect(failure).toMatchObject({ code: "INTERRUPTED" });
          if (expected === "QUEUED") {
            again.ground.setPresent(1);
            await again.ground.next();
          }
        }
      });
    });

    describe("following", () => {
      it("misses nothing and repeats nothing while events are written, wherever one begins", async () => {
        const place = await open();
        const id = await queued(place);
        const run = await place.ground.next();
        run.start();
        const followers = [0, 1, 2, 3].map((after) => heardUntil(place, id, "FINISHED", after));
        for (let round = 0; round < 20; round++) {
          run.step(15);
          run.epoch();
          for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
        }
        run.finish();
        const all = (await followers[0]) ?? [];
        expect(all.map(({ sequence }) => sequence)).toEqual(all.map((_, index) => index + 1));
        expect(all.filter(({ event }) => event.event === "epoch")).toHaveLength(20);
        for (const [after, follower] of followers.entries()) expect(await follower).toEqual(all.slice(after));
      });

      it("ends when the signal aborts, also while it waits", async () => {
        const place = await open();
        const id = await submitted(place);
        const controller = new AbortController();
        const next = place.service.follow(id, 0, controller.signal)[Symbol.asyncIterator]().next();
        controller.abort();
        expect(await next).toMatchObject({ done: true });
      });
    });

    it("removes at its start the files of runs that were never recorded, and no others", async () => {
      const place = await open();
      const id = await queued(place);
      (await place.ground.next()).finish();
      await heardUntil(place, id, "FINISHED");
      await place.service[Symbol.asyncDispose]();
      const { files } = place.store;
      const ids = async () => (await files.list({ limit: 100 })).files.map((file) => file.id);
      const before = await ids();
      const content = (text: string) =>
        (async function* () {
          yield await Promise.resolve(Buffer.from(text));
        })();
      const about = { name: "model.json", contentType: "application/json" };
      await files.add(content("of a run that was killed"), { ...about, owner: id });
      await files.add(content("of a job that is gone"), { ...about, owner: "0".repeat(24) });
      const own = await files.add(content("of a person"), about);
      await reopened(place);
      expect(await ids()).toEqual([...before, own.id]);
    });

    describe("evaluating", () => {
      const never = new AbortController().signal;

      async function finished(place: ServicePlace): Promise<JobId> {
        place.ground.isAutomatic = true;
        const id = await queued(place);
        await heardUntil(place, id, "FINISHED");
        return id;
      }

      it("judges the model by the rows that were held out, by other rows, and leaves nothing behind", async () => {
        const place = await open();
        const id = await finished(place);
        const { result } = await place.service.detail(id);
        const own = await place.service.evaluate(id, {}, never);
        expect(own).toMatchObject({ rows: 6, weightsSha256: result?.weightsSha256, meanAbsoluteError: null });
        expect(own.confusion?.counts.flat().reduce((sum, count) => sum + count, 0)).toBe(6);

        const all = await upload(place, "other.txt");
        const other = await place.service.evaluate(id, { fileId: all.id }, never);
        expect(other).toMatchObject({ rows: 30, weightsSha256: result?.weightsSha256 });
        expect(other.confusion?.classNames).toEqual(["0", "1", "2"]);
        expect(await readdir(`${place.directory}/lent`)).toEqual([]);
      });

      it("takes no longer than it may, the preparing of rows included", async () => {
        const place = await open();
        const id = await finished(place);
        await rm(join(place.directory, "rows"), { recursive: true });
        vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
        try {
          const late = failureOf(() => place.service.evaluate(id, {}, never));
          vi.advanceTimersByTime(100_000);
          expect(await late).toMatchObject({ code: "EVALUATION_TIMEOUT", limitMs: 100_000 });
          expect(vi.getTimerCount()).toBe(0);
        } finally {
          vi.useRealTimers();
        }
        expect(existsSync(join(place.directory, "rows"))).toBe(false);
        expect(await readdir(`${place.directory}/lent`)).toEqual([]);
      });

      it("is refused for unknown files, and for rows that don't fit, by name, row and column", async () => {
        const place = await open();
        const { service } = place;
        const id = await finished(place);
        const none = "0".repeat(24);
        for (const fileId of [none, "../../etc/passwd"]) {
          const unknown = await failureOf(() => service.evaluate(id, { fileId }, never));
          expect(unknown).toMatchObject({ code: "NOT_FOUND", what: "file", id: fileId });
        }
        const { id: fileId } = await upload(place, "wide.txt", "1,2,3,4,0\n");
        expect(await failureOf(() => service.evaluate(id, { fileId }, never))).toMatchObject({
          code: "DATA_MISMATCH",
          file: "wide.txt",
          problem: expect.stringContaining("5 columns, the model takes 2"),
        });
        const { id: broken } = await upload(place, "broken.txt", "1,2,0\n1,x,0\n");
        expect(await failureOf(() => service.evaluate(id, { fileId: broken }, never))).toMatchObject({
          code: "DATA_INVALID",
          file: "broken.txt",
          row: 2,
          column: 1,
        });
        expect(await failureOf(() => service.evaluate(id, { fileId, labelsFileId: broken }, never))).toMatchObject({
          code: "USAGE",
          option: "labelsFileId",
          remedy: expect.not.stringContaining("--"),
        });
        expect(await failureOf(() => service.evaluate(id, { labelsFileId: broken }, never))).toMatchObject({
          code: "USAGE",
          problem: expect.stringContaining("labelsFileId"),
        });
        expect(await readdir(`${place.directory}/lent`)).toEqual([]);
      });

      it("finds no model when the job goes while its rows are prepared", async () => {
        const place = await open();
        const id = await finished(place);
        const { files } = place.store;
        const pathOf = files.pathOf.bind(files);
        vi.spyOn(files, "pathOf").mockImplementationOnce(async (data) => {
          await place.service.remove(id);
          return await pathOf(data);
        });
        const gone = await failureOf(() => place.service.evaluate(id, {}, never));
        expect(gone).toMatchObject({ code: "NOT_FOUND", what: "file" });
        expect(await readdir(`${place.directory}/lent`)).toEqual([]);
      });

      it("is refused before there is a model, and names the rows held out when they can't be had again", async () => {
        const place = await open();
        const { service } = place;
        const waiting = await submitted(place);
        expect(await failureOf(() => service.evaluate(waiting, {}, never))).toMatchObject({
          code: "CONFLICT",
          remedy: expect.stringContaining("It is CREATED"),
        });
        const id = await finished(place);
        const changed = await upload(place, "rows.txt", "1,2,0\n2,1,1\n3,5,2\n1,2,0\n2,1,1\n3,5,2\n");
        expect(await failureOf(() => service.evaluate(id, {}, never))).toMatchObject({
          code: "USAGE",
          option: "fileId",
          problem: expect.stringContaining("others now than when it was trained"),
          remedy: expect.stringContaining("POST /storage/upload"),
        });
        expect((await service.evaluate(id, { fileId: changed.id }, never)).rows).toBe(6);
        const aside = [...(await service.modelFiles(id)).values()];
        for (const file of aside) await place.store.files.delete(FileIdSchema.parse(file));
        expect(await failureOf(() => service.evaluate(id, {}, never))).toMatchObject({
          code: "CONFLICT",
          problem: "the files of its model are not here",
        });
      });

      it("tells nobody where the server keeps its data", async () => {
        const place = await open();
        const id = await finished(place);
        const told = [await place.service.detail(id), (await place.service.object(id)).object];
        const heard = (await heardUntil(place, id, "FINISHED")).map(({ event }) => event);
        expect(JSON.stringify([told, heard])).not.toContain(place.directory);
        expect((await place.service.detail(id)).result?.modelDir).toBe(`runs/${id}/model`);
        expect((await place.service.detail(id)).started?.configuration["out"]).toBe(`runs/${id}`);
      });
    });

    describe("runs elsewhere", () => {
      it("report in: status, events, model, result", async () => {
        const place = await open(0);
        const { service } = place;
        const id = await queued(place);
        expect(await failureOf(() => service.report(id, { kind: "events", events: [stepEvent(1)] }))).toMatchObject({
          code: "CONFLICT",
        });
        await service.setStatus(id, { status: "INPROGRESS" });
        place.ground.setPresent(4);
        const started = {
          event: "started", jobId: "far-away" as JobId, epochs: 2, stepsPerEpoch: 1, trainRows: 3, testRows: 0, workers: 2,
          replicas: 4, configuration: {},
        } as const; // biome-ignore format: one line per few fields
        await service.report(id, { kind: "events", events: [started, stepEvent(1), epochEvent(1, 2, 1)] });
        const content = (text: string) =>
          (async function* () {
            yield await Promise.resolve(Buffer.from(text));
          })();
        await service.report(id, { kind: "modelFile", name: "model.json", content: content("old") });
        await service.report(id, { kind: "modelFile", name: "model.json", content: content("new") });
        expect(await service.detail(id)).toMatchObject({
          job: { status: "INPROGRESS", epoch: 1, epochs: 2, workers: 2, replicas: 4, trainLoss: 1 },
          started: { jobId: id },
          lastStep: { step: 1 },
        });
        const finished = {
          event: "finished", jobId: "far-away" as JobId, status: "FINISHED", engine: "wasm", collective: "ring",
          ordered: true, workers: 2, replicas: 4, threads: 1, epochs: 2, steps: 2, trainLoss: 0.1, trainAccuracy: 1,
          testLoss: null, testAccuracy: null, samplesPerSecond: 1, communicationFraction: 0, wallMs: 1,
          weightsSha256: "a".repeat(64), stateSha256: "b".repeat(64), modelDir: "/there",
        } as const; // biome-ignore format: one line per few fields
        await service.report(id, { kind: "events", events: [finished] });
        await service.replacePart(id, "trainingresult", xml("<trainingresult><note>1</note></trainingresult>"));
        await service.setStatus(id, { status: "FINISHED" });
        expect(await service.detail(id)).toMatchObject({
          job: { status: "FINISHED" },
          result: { jobId: id, weightsSha256: "a".repeat(64) },
        });
        expect([...(await service.modelFiles(id)).keys()]).toEqual(["model.json"]);
        const { files } = await place.store.files.list({ limit: 10 });
        expect(files.filter(({ name }) => name === "model.json")).toHaveLength(1);
        expect(place.ground.runsSoFar).toBe(0);
      });

      it("may warn any number of times: what its attempt is stays known, and warnings of one before are not its own", async () => {
        const place = await open(0);
        const { service } = place;
        const id = await queued(place);
        await service.setStatus(id, { status: "INPROGRESS" });
        const warnings = (text: string) =>
          Array.from({ length: 600 }, (_, index) => ({ event: "warning", message: `${text} ${index}` }) as const);
        const started = {
          event: "started", jobId: "far-away" as JobId, epochs: 2, stepsPerEpoch: 1, trainRows: 3, testRows: 0, workers: 2,
          replicas: 4, configuration: {},
        } as const; // biome-ignore format: one line per few fields
        await service.report(id, { kind: "events", events: [started, stepEvent(1), ...warnings("not saved")] });
        const detail = await service.detail(id);
        expect(detail).toMatchObject({ started: { jobId: id }, lastStep: { step: 1 } });
        expect(detail.warnings.at(-1)).toBe("not saved 599");
        await service.setStatus(id, { status: "ERROR", message: "it broke" });
        await service.queue(id);
        expect(await service.detail(id)).toMatchObject({ started: null, lastStep: null, warnings: [] });
      });

      it("may have any number of epochs: curves tell of so many as are asked for, the latest among them", async () => {
        const place = await open(0);
        const { service } = place;
        const id = await queued(place);
        await service.setStatus(id, { status: "INPROGRESS" });
        const epochs = 3000;
        const events = Array.from({ length: epochs }, (_, index) => epochEvent(index + 1, epochs, 2 * (index + 1)));
        await service.report(id, { kind: "events", events });
        const told = async (query: { readonly from: number; readonly limit: number }) =>
          (await service.metrics(id, query)).epochs.map(({ epoch }) => epoch);
        const few = await told({ from: 0, limit: 10 });
        expect(few.length).toBeGreaterThan(5);
        expect(few.length).toBeLessThanOrEqual(10);
        expect(few.at(-1)).toBe(epochs);
        // Epoch 2996 ends with step 5992.
        expect(await told({ from: 5991, limit: 10 })).toEqual([2996, 2997, 2998, 2999, 3000]);
        expect(await told({ from: 5993, limit: 10 })).toEqual([2997, 2998, 2999, 3000]);
        expect(await told({ from: 6001, limit: 10 })).toEqual([]);
        expect(await told({ from: 1, limit: 10_000 })).toHaveLength(epochs);
      });

      it("take over a job that is not running, before local workers can", async () => {
        const place = await open(1);
        const { service, ground } = place;
        const id = await submitted(place);
        const take = async (before: string) => {
          expect((await service.detail(id)).job.status).toBe(before);
          const { lastEventId } = await service.detail(id);
          expect(await service.setStatus(id, { status: "INPROGRESS" })).toMatchObject({
            run: { elsewhere: "external" },
          });
          const heard = await heardUntil(place, id, "INPROGRESS", lastEventId);
          const statuses = heard.map(({ event }) => (event.event === "status" ? event.status : event.event));
          expect(statuses).toEqual(["QUEUED", "INPROGRESS"]);
        };
        await take("CREATED");
        await service.setStatus(id, { status: "ERROR", message: "node is gone" });
        await take("ERROR");
        await service.setStatus(id, { status: "FINISHED" });
        await take("FINISHED");
        expect(ground.runsSoFar).toBe(0);
        expect(await failureOf(() => service.setStatus(id, { status: "INPROGRESS" }))).toMatchObject({
          code: "CONFLICT",
          remedy: expect.stringContaining("FINISHED, ERROR"),
        });
      });

      it("count in the totals, beside the service's own", async () => {
        const place = await open(1);
        const { service, ground } = place;
        expect(service.totals?.()).toEqual({ steps: 0, rows: 0 });
        await queued(place);
        const run = await ground.next();
        run.start();
        run.step(3);
        const away = await submitted(place);
        await service.setStatus(away, { status: "INPROGRESS" });
        await service.report(away, { kind: "events", events: [stepEvent(1), stepEvent(2)] });
        expect(service.totals?.()).toEqual({ steps: 5, rows: 25 });
      });

      it("outlive the server, can be cancelled, and fail with what they say", async () => {
        const place = await open(0);
        const id = await queued(place);
        await place.service.setStatus(id, { status: "INPROGRESS" });
        await place.service[Symbol.asyncDispose]();
        const again = await reopened(place, 1);
        expect((await again.service.detail(id)).job.status).toBe("INPROGRESS");
        expect(await again.service.setStatus(id, { status: "ERROR", message: "node is gone" })).toMatchObject({
          status: "ERROR",
          statusReason: { code: "REPORTED", problem: "node is gone" },
        });
        again.ground.setPresent(0);
        await again.service.queue(id);
        await again.service.setStatus(id, { status: "INPROGRESS" });
        expect(await again.service.cancel(id)).toMatchObject({ statusReason: { code: "CANCELLED" } });
      });

      it("are told by status what is allowed; own runs end by themselves", async () => {
        const place = await open();
        const id = await submitted(place);
        const set = (status: "CREATED" | "QUEUED" | "INPROGRESS" | "FINISHED" | "ERROR") =>
          failureOf(() => place.service.setStatus(id, { status }));
        for (const status of ["CREATED", "FINISHED"] as const) {
          expect(await set(status)).toMatchObject({
            code: "CONFLICT",
            remedy: expect.stringContaining("QUEUED, ERROR"),
          });
        }
        await place.service.setStatus(id, { status: "QUEUED" });
        const run = await place.ground.next();
        for (const status of ["CREATED", "QUEUED", "INPROGRESS", "FINISHED", "ERROR"] as const) {
          expect(await set(status)).toMatchObject({ code: "CONFLICT", remedy: expect.stringContaining("FINISHED") });
        }
        run.finish();
        await heardUntil(place, id, "FINISHED");
        for (const status of ["CREATED", "FINISHED", "ERROR"] as const) {
          expect(await set(status)).toMatchObject({ code: "CONFLICT", remedy: expect.stringContaining("QUEUED") });
        }
      });
    });
  });
}
