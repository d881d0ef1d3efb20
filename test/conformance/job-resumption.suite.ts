import { existsSync } from "node:fs";
import { mkdir, rename, rm, rmdir, stat, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { QueueOptions } from "../../coordinator/service/job-service.js";
import type { Failure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { writeCheckpoint, writeForeignCheckpoint } from "../support/saved-checkpoints.js";
import type { ScriptedRun } from "../support/scripted-ground.js";
import {
  documentXml,
  reopened,
  type ServicePlace,
  type StoreKind,
  servicePlace,
  upload,
} from "../support/service-place.js";

const xml = (text: string) => ({ format: "xml" as const, bytes: Buffer.from(text) });
const WHO = { rank: 0, host: "h", pid: 7, replicas: [0], step: 3 };
const DEATH: Failure = { code: "WORKER_DIED", ...WHO, how: "killed by SIGKILL", lastWords: null };
const SILENCE: Failure = { code: "WORKER_SILENT", ...WHO, silentMs: 10_000 };
const STALL: Failure = { code: "WORKER_STALLED", ...WHO, stalledMs: 120_000, phase: "compute" };
const FIGURES = { epoch: 1, step: 3, tensor: "loss", value: "NaN", learningRate: 9 };
const OVERFLOW: Failure = { code: "NOT_FINITE", ...FIGURES, remedy: "Lower it" };
const DEPARTURE: Failure = { code: "WORKER_LEFT", ...WHO, signal: "SIGTERM", resumeFrom: "somewhere" };

/** A job in progress whose run has saved its state after these steps. */
async function savedRun(place: ServicePlace, steps: readonly number[]): Promise<{ id: JobId; paths: string[] }> {
  await upload(place, "rows.txt");
  const { id } = await place.service.submit(xml(documentXml()));
  await place.service.queue(id);
  const run = await place.ground.next();
  run.start();
  run.step(4);
  run.epoch();
  const paths: string[] = [];
  for (const step of steps) paths.push(await saved(run, step));
  run.fail(DEATH);
  await status(place, id, "ERROR");
  return { id, paths };
}

function saved({ run }: ScriptedRun, step: number): Promise<string> {
  return writeCheckpoint(join(run.output.path, "checkpoints"), step, { job: run.resumable });
}

/** Resolves when the job has this status. */
async function status({ service }: ServicePlace, id: JobId, wanted: string): Promise<void> {
  const controller = new AbortController();
  const { job, lastEventId } = await service.detail(id);
  if (job.status === wanted) return;
  for await (const { kind, data } of service.follow(id, lastEventId, controller.signal)) {
    if (kind === "status" && JSON.parse(data).status === wanted) return;
  }
}

/** The next warning of the job: told within a moment of the run's beginning. */
async function warning({ service }: ServicePlace, id: JobId): Promise<string> {
  const controller = new AbortController();
  for await (const { kind, data } of service.follow(id, 0, controller.signal)) {
    if (kind === "warning") return JSON.parse(data).message;
  }
  return "the stream has ended";
}

async function again(place: ServicePlace, id: JobId, options: QueueOptions = {}): Promise<ScriptedRun> {
  await place.service.queue(id, options);
  return await place.ground.next();
}

/** What every service promises of jobs that go on, whatever its store. */
export function jobResumptionSuite(kind: StoreKind): void {
  describe(`jobs that go on, over a ${kind.name} store`, () => {
    const open = () => servicePlace(kind, 1);

    it("a job that failed goes on from its newest checkpoint, with its engine and its curves up to there", async () => {
      const place = await open();
      const { id } = await savedRun(place, [1, 2]);
      const { run } = await again(place, id);
      expect(run.resumed?.description.position.step).toBe(2);
      expect(run.resumedFile).toBe(`runs/${id}/checkpoints/step-000000000002.ckpt`);
      expect(run.spec.engine).toBe("wasm");
      expect(run.configuration).toMatchObject({
        engineReason: "the checkpoint's",
        resumedFrom: { file: run.resumedFile },
      });
      const { steps } = await place.service.metrics(id, { from: 0, limit: 10 });
      expect(steps.map(({ step }) => step)).toEqual([1, 2]);
    });

    it("from the one before a damaged one, and says so", async () => {
      const place = await open();
      const { id, paths } = await savedRun(place, [1, 2]);
      await truncate(paths[1] ?? "", 100);
      const { run } = await again(place, id);
      expect(run.resumed?.description.position.step).toBe(1);
      expect(await warning(place, id)).toMatch(
        new RegExp(`^checkpoint not used: runs/${id}/checkpoints/step-0*2\\.ckpt: it `),
      );
    });

    it("begins at its beginning, and says so, when no checkpoint is sound", async () => {
      const place = await open();
      const { id, paths } = await savedRun(place, [2]);
      await truncate(paths[0] ?? "", 100);
      const { run } = await again(place, id);
      expect(run.resumed).toBeNull();
      expect(await warning(place, id)).toMatch(/no checkpoint can be used.*begins at its beginning/);
      expect((await place.service.metrics(id, { from: 0, limit: 10 })).steps).toEqual([]);
      expect(existsSync(paths[0] ?? "")).toBe(false);
      expect((await stat(`${paths[0]}.damaged`)).size).toBe(100);
    });

    it("waits for a busy worker with its checkpoint's engine, however many others are idle", async () => {
      const place = await open();
      const { id } = await savedRun(place, [2]);
      const { service, ground } = place;
      ground.addOthers("tensorflow", 1);
      // As if its checkpoint were of that engine, while another job trains with it.
      const gpu = await service.submit(xml(documentXml({ hardware: { engine: "tensorflow" } })));
      const other = await again(place, gpu.id);
      await rm(join(place.directory, "runs", id, "checkpoints"), { recursive: true });
      const folder = join(place.directory, "runs", id, "checkpoints");
      await writeCheckpoint(folder, 2, { engine: "tensorflow" });
      await service.queue(id);
      await status(place, id, "INPROGRESS");
      await status(place, id, "QUEUED");
      expect((await place.store.jobs.summary(id)).run.workersWanted).toMatchObject({ engine: "tensorflow" });
      ground.setPresent(3);
      expect((await service.detail(id)).job.status).toBe("QUEUED");
      other.finish();
      expect((await ground.next()).id).toBe(id);
      expect((await service.detail(id)).failure).toBeNull();
    });

    it("fails, and touches nothing, when its checkpoints can't be read; goes on from there when they can", async () => {
      const place = await open();
      const { id, paths } = await savedRun(place, [1, 2]);
      const [cut = "", sound = ""] = paths;
      await truncate(cut, 100);
      await rename(sound, `${sound}.away`);
      await mkdir(sound);
      await place.service.queue(id);
      await status(place, id, "ERROR");
      const { failure } = await place.service.detail(id);
      expect(failure).toMatchObject({
        code: "CHECKPOINT_UNREADABLE",
        problem: expect.stringMatching(/step-0*2\.ckpt: it is no file; .*step-0*1\.ckpt: it has 100 bytes/),
        remedy: expect.stringContaining("resume=never"),
      });
      expect(JSON.stringify(failure)).not.toContain(place.directory);
      expect((await stat(cut)).size).toBe(100);
      await rmdir(sound);
      await rename(`${sound}.away`, sound);
      expect((await again(place, id)).run.resumed?.description.position.step).toBe(2);
    });

    it("fails, and keeps them, when all are of another version", async () => {
      const place = await open();
      const { id, paths } = await savedRun(place, [2]);
      const path = await writeForeignCheckpoint(dirname(paths[0] ?? ""), 2);
      await place.service.queue(id);
      await status(place, id, "ERROR");
      expect((await place.service.detail(id)).failure).toMatchObject({ code: "CHECKPOINT_UNREADABLE" });
      expect(existsSync(path)).toBe(true);
      expect((await again(place, id, { resume: "never" })).run.resumed).toBeNull();
      expect(existsSync(path)).toBe(false);
    });

    it("begins at its beginning, and says what has changed, when it is another job now", async () => {
      const place = await open();
      const { id, paths } = await savedRun(place, [2]);
      const changed = documentXml({ parameters: { iterations: 9 } });
      const definition = /<definition>[\s\S]*<\/definition>/.exec(changed)?.[0] ?? "";
      await place.service.replacePart(id, "definition", xml(definition));
      const { run } = await again(place, id);
      expect(run.resumed).toBeNull();
      expect(run.spec.epochs).toBe(9);
      expect(await warning(place, id)).toMatch(/number of epochs was 3, and is 9.*beginning/);
      expect(existsSync(paths[0] ?? "")).toBe(false);
    });

    it("begins at its beginning when that is asked for, and when it has finished", async () => {
      const place = await open();
      const { id, paths } = await savedRun(place, [2]);
      const anew = await again(place, id, { resume: "never" });
      expect(anew.run.resumed).toBeNull();
      expect(existsSync(paths[0] ?? "")).toBe(false);
      expect(existsSync(await saved(anew, 2))).toBe(true);
      anew.finish();
      await status(place, id, "FINISHED");
      expect((await again(place, id)).run.resumed).toBeNull();
      expect(existsSync(paths[0] ?? "")).toBe(false);
    });

    it("a job that ran when the server ended is saved, and goes on in the next one", async () => {
      const place = await open();
      const { id } = await savedRun(place, []);
      const run = await again(place, id);
      run.start();
      run.onStop(() => saved(run, 3));
      await place.service[Symbol.asyncDispose]();
      const next = await reopened(place);
      expect((await next.ground.next()).run.resumed?.description.position.step).toBe(3);
    });

    it("goes on after any number of servers that were killed, as long as it gets further from one to the next", async () => {
      const place = await open();
      const { id } = await savedRun(place, []);
      let run = await again(place, id);
      for (const step of [1, 2, 3, 4, 5]) {
        await saved(run, step);
        // A service that never hears of the first one's run is what a new process is.
        const next = await reopened(place, 0);
        const { job, failure, warnings } = await next.service.detail(id);
        expect([job.status, failure?.code]).toEqual(["QUEUED", "INTERRUPTED"]);
        const told = `^interrupted by the end of the server that ran it.*goes on.*interruption 1 .*than that of step ${step},`;
        expect(warnings[0]).toMatch(new RegExp(told));
        next.ground.setPresent(1);
        run = await next.ground.next();
        expect(run.run.resumed?.description.position.step).toBe(step);
      }
      for (const expected of ["QUEUED", "ERROR"]) {
        const next = await reopened(place, 0);
        const { job, failure } = await next.service.detail(id);
        expect(job.status).toBe(expected);
        if (expected === "ERROR") {
          expect(failure).toMatchObject({ code: "INTERRUPTED", repeated: { times: 3, step: 5 } });
          expect(job.statusReason?.message).toMatch(/interruption 3 in a row.*than that of step 5,.*queued again/);
        }
        next.ground.setPresent(1);
        if (expected === "QUEUED") await next.ground.next();
      }
    });

    it("goes on by itself after any number of lost workers, where that is wanted and it gets further in between", async () => {
      const place = await servicePlace(kind, 1, { afterWorkerLoss: "resume" });
      await upload(place, "rows.txt");
      const { id } = await place.service.submit(xml(documentXml()));
      let run = await again(place, id);
      for (const [index, loss] of [DEATH, SILENCE, STALL, DEATH, SILENCE].entries()) {
        run.start();
        await saved(run, index + 1);
        run.fail(loss);
        run = await place.ground.next();
        expect(run.run.resumed?.description.position.step).toBe(index + 1);
        const { warnings, failure } = await place.service.detail(id);
        expect(failure).toBeNull();
        const told = `^worker rank 0 .*goes on.*interruption 1 .*than that of step ${index + 1},`;
        expect(warnings).toEqual([expect.stringMatching(told)]);
      }
      run.fail(DEATH);
      (await place.ground.next()).fail(SILENCE);
      await status(place, id, "ERROR");
      expect((await place.service.detail(id)).failure).toEqual({ ...SILENCE, repeated: { times: 3, step: 5 } });
      const [failed] = await place.store.jobs.latestEvents(id, ["failed"], 9);
      const told = /^worker rank 0 .*interruption 3 in a row.*than that of step 5,.*queued again/;
      const by = { code: "WORKER_SILENT", rank: 0, host: "h" };
      expect(JSON.parse(failed?.data ?? "")).toMatchObject({ ...by, message: expect.stringMatching(told) });
      // Whoever queues it has it go on, with three more.
      expect((await again(place, id)).run.resumed?.description.position.step).toBe(5);
    });

    it("ends all the same for what is its own fault", async () => {
      const place = await servicePlace(kind, 1, { afterWorkerLoss: "resume" });
      await upload(place, "rows.txt");
      const { id } = await place.service.submit(xml(documentXml()));
      (await again(place, id)).fail(OVERFLOW);
      await status(place, id, "ERROR");
      expect((await place.service.detail(id)).failure).toEqual(OVERFLOW);
    });

    it("waits again, unblamed, when a worker was told to leave, and goes on", async () => {
      const place = await open();
      const { id } = await savedRun(place, []);
      const run = await again(place, id);
      run.start();
      await saved(run, 3);
      run.fail(DEPARTURE);
      const next = await place.ground.next();
      expect(next.run.resumed?.description.position.step).toBe(3);
      const { job, failure } = await place.service.detail(id);
      expect(job).toMatchObject({ status: "INPROGRESS", attempt: 3 });
      expect(failure).toBeNull();
    });
  });
}
