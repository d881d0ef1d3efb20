import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { JOB_STATUSES, type JobStatus } from "../../coordinator/job/job-state.js";
import type { Job } from "../../coordinator/store/job-record.js";
import type { JobStore } from "../../coordinator/store/job-store.js";
import type { Failure } from "../../shared/failure.js";
import type { InterruptionFailure } from "../../shared/failure-place.js";
import type { JobId } from "../../shared/ids.js";
import { type FinishedEvent, FinishedEventSchema } from "../../shared/train-events.js";
import { failureOf } from "../support/failure-of.js";
import type { JobStoreKind } from "../support/open-job-store.js";

const DOCUMENT = { json: '{"vinnsl":{}}', xml: "<vinnsl/>" };
const NOBODY = "0123456789abcdef01234567" as JobId;
const KILLED: InterruptionFailure = { code: "INTERRUPTED", signal: "SIGKILL" };
const MiB = 2 ** 20;

export function finishedEvent(jobId: string): FinishedEvent {
  return FinishedEventSchema.parse({
    event: "finished",
    jobId,
    status: "FINISHED",
    engine: "wasm",
    collective: "ring",
    ordered: true,
    workers: 2,
    replicas: 4,
    threads: 1,
    epochs: 3,
    steps: 30,
    trainLoss: 0.1,
    trainAccuracy: 0.9,
    testLoss: 0.2,
    testAccuracy: 0.8,
    samplesPerSecond: 1000,
    communicationFraction: 0.1,
    wallMs: 500,
    weightsSha256: "a".repeat(64),
    stateSha256: "b".repeat(64),
    modelDir: "/runs/iris/model",
  });
}

/** What every {@link JobStore} promises of jobs; of metrics and events, see `jobStreamsSuite`. */
export function jobStoreSuite(kind: JobStoreKind): void {
  describe(`jobs in a ${kind.name} store`, () => {
    let store: JobStore;
    let nowMs: number;
    beforeEach(async () => {
      nowMs = 1_700_000_000_000;
      store = await kind.open(() => nowMs);
    });
    afterEach(() => store[Symbol.asyncDispose]());

    const create = (title: string | null = null, priority = 0): Promise<Job> =>
      store.create({ document: DOCUMENT, title, priority });
    const queued = async (title: string | null = null, priority = 0): Promise<Job> => {
      const job = await create(title, priority);
      await store.transition(job.id, "queue");
      return await store.get(job.id);
    };
    const titlesQueued = async () => (await store.queued(1000)).map(({ title }) => title);
    const all = async () => {
      const found: { id: JobId; status: JobStatus }[] = [];
      for await (const entry of store.statuses()) found.push(entry);
      return found;
    };

    describe("documents", () => {
      it("begins a job with nothing but its document", async () => {
        const job = await create("Iris", 7);
        expect(job.id).toMatch(/^6553f100[0-9a-f]{16}$/);
        expect(job).toEqual({
          id: job.id,
          number: 1,
          title: "Iris",
          status: "CREATED",
          statusReason: null,
          priority: 7,
          queuePlace: null,
          queuedAt: null,
          version: 1,
          createdAt: nowMs,
          updatedAt: nowMs,
          run: {
            attempt: 0,
            earlierAttempts: 0,
            interruptions: { times: 0, step: 0 },
            workersWanted: null,
            workers: null,
            replicas: null,
            elsewhere: null,
            reporting: null,
            batch: null,
            startedAt: null,
            finishedAt: null,
            outputDirectory: null,
            testRowsSha256: null,
            result: null,
            modelFileIds: [],
          },
          progress: null,
          document: DOCUMENT,
          dl4j: null,
        });
        expect(await store.get(job.id)).toEqual(job);
        const { document: _document, dl4j: _dl4j, ...summary } = job;
        expect(await store.summary(job.id)).toEqual(summary);
      });

      it.each([
        ["empty", "", ""],
        ["without XML", "{}", null],
        ["of all planes", '{"ä":"𝒳\u2028"}', "<vinnsl>Österreich 𝒳 \r\n\t\uFEFF</vinnsl>"],
        ["with a NUL", '"a\u0000b"', "a\u0000b"],
        ["of 16 MiB", `"${"é".repeat(8 * MiB)}"`, "x".repeat(16 * MiB)],
      ])("keeps a document %s to the last character", async (_, json, xml) => {
        const { id } = await store.create({ document: { json, xml }, title: "a\u0000b𝒳\uD800" });
        const job = await store.get(id);
        expect(job.document.json === json).toBe(true);
        expect(job.document.xml === xml).toBe(true);
        expect(job.title).toBe("a\u0000b𝒳\uD800");
      });

      it("refuses what it can't keep whole, and keeps nothing of it", async () => {
        const large = { json: "{}", xml: "x".repeat(16 * MiB + 3) };
        const tooLarge = await failureOf(() => store.create({ document: large }));
        expect(tooLarge).toMatchObject({ code: "QUOTA_EXCEEDED", quota: "document", limitBytes: 16 * MiB });
        expect(tooLarge.message).toMatch(/XML document is 16777219 bytes long, 3 more than are kept\. Send at most/);
        const halved = await failureOf(() => store.create({ document: { json: '"\uD83D"', xml: null } }));
        expect(halved).toMatchObject({ code: "DOCUMENT_INVALID" });
        expect(halved.message).toMatch(/JSON object holds half of a surrogate pair/);
        const urgent = await failureOf(() => store.create({ document: DOCUMENT, priority: 1001 }));
        expect(urgent).toMatchObject({ code: "USAGE", option: "priority" });
        expect(await all()).toEqual([]);
      });

      it("replaces the version that was read, and no other", async () => {
        const { id } = await create("before");
        nowMs += 5;
        const changed = { json: '{"changed":1}', xml: null };
        const job = await store.replaceDocument(id, 1, { document: changed, title: "after" });
        expect(job).toMatchObject({ version: 2, document: changed, title: "after", updatedAt: nowMs });
        expect(await store.get(id)).toEqual(job);
        const late = await failureOf(() => store.replaceDocument(id, 1, { document: DOCUMENT }));
        expect(late).toMatchObject({ code: "CONFLICT", what: "job", id });
        expect(late.message).toMatch(/at version 2, and the change was made to version 1\. Read it again/);
        expect(await store.get(id)).toEqual(job);
        expect(await store.replaceDocument(id, 2, { document: DOCUMENT })).toMatchObject({
          version: 3,
          title: "after",
        });
      });

      it("lets one of several replacements of one version win", async () => {
        const { id } = await create();
        const tries = Array.from({ length: 20 }, (_, index) => {
          const document = { json: String(index), xml: null };
          return store.replaceDocument(id, 1, { document }).then(
            () => document,
            (thrown: { failure: Failure }) => thrown.failure.code,
          );
        });
        const outcomes = await Promise.all(tries);
        const won = outcomes.filter((outcome) => typeof outcome === "object");
        expect(won).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome === "CONFLICT")).toHaveLength(19);
        expect(await store.get(id)).toMatchObject({ version: 2, document: won[0] });
      });

      it("stores a DL4J configuration beside the document, and forgets it", async () => {
        const { id } = await create();
        await store.replaceDl4j(id, '{"confs":[]}');
        await store.replaceDocument(id, 1, { document: DOCUMENT });
        expect(await store.get(id)).toMatchObject({ dl4j: '{"confs":[]}', version: 2 });
        await store.replaceDl4j(id, null);
        expect(await store.get(id)).toMatchObject({ dl4j: null });
      });
    });

    describe("lists", () => {
      it("pages through all jobs both ways, each once", async () => {
        const ids: JobId[] = [];
        for (let index = 0; index < 25; index++) ids.push((await create(String(index))).id);
        for (const order of ["oldest", "newest"] as const) {
          const expected = order === "oldest" ? ids : [...ids].reverse();
          for (const limit of [1, 7, 24, 25, 26]) {
            const found: JobId[] = [];
            let cursor: string | null = null;
            do {
              const page = await store.list({ limit, cursor, order });
              expect(page.jobs.length).toBeGreaterThan(0);
              expect(page.jobs.length).toBeLessThanOrEqual(limit);
              found.push(...page.jobs.map(({ id }) => id));
              cursor = page.next;
            } while (cursor !== null);
            expect(found).toEqual(expected);
          }
        }
      });

      it("goes on where a page ended though jobs come and go", async () => {
        const [first, second, third, fourth] = [
          await create("1"),
          await create("2"),
          await create("3"),
          await create("4"),
        ];
        const page = await store.list({ limit: 2 });
        expect(page.jobs.map(({ id }) => id)).toEqual([first.id, second.id]);
        await store.delete(second.id);
        await store.delete(third.id);
        const fifth = await create("5");
        const rest = await store.list({ limit: 10, cursor: page.next });
        expect(rest.jobs.map(({ id }) => id)).toEqual([fourth.id, fifth.id]);
        for (const { id } of [first, fourth, fifth]) await store.delete(id);
        const sixth = await create("6");
        expect((await store.list({ limit: 10, cursor: page.next })).jobs.map(({ id }) => id)).toEqual([sixth.id]);
      });

      it("shows jobs of one status, without their documents, and counts them", async () => {
        const [, second] = [await create("a"), await queued("b"), await create("c")];
        const { jobs, next } = await store.list({ limit: 10, status: "QUEUED" });
        expect(next).toBe(null);
        expect(jobs).toEqual([await store.summary(second.id)]);
        expect(jobs[0]).not.toHaveProperty("document");
        expect(await store.list({ limit: 10, status: "ERROR" })).toEqual({ jobs: [], next: null });
        expect(await store.counts()).toEqual({ CREATED: 2, QUEUED: 1, INPROGRESS: 0, FINISHED: 0, ERROR: 0 });
      });

      it("tells all statuses in the order of creation", async () => {
        const [first, second] = [await create(), await queued()];
        expect(await all()).toEqual([
          { id: first.id, status: "CREATED" },
          { id: second.id, status: "QUEUED" },
        ]);
      });

      it.each([
        ["limit", { limit: 0 }],
        ["limit", { limit: 1001 }],
        ["limit", { limit: 1.5 }],
        ["cursor", { limit: 1, cursor: "" }],
        ["cursor", { limit: 1, cursor: "1; DROP TABLE jobs" }],
        ["cursor", { limit: 1, cursor: "1e3" }],
      ])("refuses a list with a wrong %s", async (option, query) => {
        expect(await failureOf(() => store.list(query))).toMatchObject({ code: "USAGE", option });
      });
    });

    describe("statuses", () => {
      it("moves as the state machine says, and says what it would allow instead", async () => {
        const { id } = await create();
        expect(await store.transition(id, "start")).toEqual({
          kind: "refused",
          status: "CREATED",
          reason: "a job that is CREATED can't start",
          allowed: ["queue", "fail"],
        });
        expect(await store.get(id)).toMatchObject({ status: "CREATED", updatedAt: nowMs });
        nowMs += 1;
        expect(await store.transition(id, "queue")).toMatchObject({
          kind: "moved",
          job: { id, status: "QUEUED", queuedAt: nowMs, queuePlace: 1, updatedAt: nowMs },
        });
        nowMs += 1;
        const plan = { workers: 2, replicas: 4, outputDirectory: "/runs/1" };
        expect(await store.claim(id, { plan })).toMatchObject({
          kind: "moved",
          job: {
            status: "INPROGRESS",
            run: { ...plan, elsewhere: null, attempt: 1, startedAt: nowMs, finishedAt: null },
          },
        });
        nowMs += 1;
        const outcome = { result: finishedEvent(id), modelFileIds: ["1".repeat(24)] };
        const finished = await store.transition(id, "finish", { outcome });
        expect(finished).toMatchObject({
          kind: "moved",
          job: { status: "FINISHED", queuePlace: null, run: { ...plan, ...outcome, attempt: 1, finishedAt: nowMs } },
        });
        expect(finished.kind === "moved" && finished.job).toEqual(await store.summary(id));
      });

      it("keeps what is told of a move together with it, and tells nothing of what does not happen", async () => {
        const { id } = await create();
        const tell = ({ status, version }: { status: string; version: number }) => [
          { kind: "status", data: `${status} ${version}` },
        ];
        const told = async () => (await store.events(id, 0, 100)).events.map(({ data }) => data);
        await store.transition(id, "finish", { tell });
        await store.sendBack(id, KILLED, tell);
        expect(await told()).toEqual([]);
        await store.transition(id, "queue", { tell });
        await store.claim(id, { tell });
        await store.claim(id, { tell });
        await store.sendBack(id, KILLED, tell);
        for (let time = 0; time < 3; time++) {
          await store.claim(id, { tell });
          await store.interrupt(id, { reason: KILLED, savedStep: 0, tell });
          await store.interrupt(id, { reason: KILLED, savedStep: 0, tell });
        }
        const [interrupted, failed] = [
          ["INPROGRESS 1", "QUEUED 1"],
          ["INPROGRESS 1", "ERROR 1"],
        ];
        expect(await told()).toEqual(["QUEUED 1", ...interrupted, ...interrupted, ...interrupted, ...failed]);
      });

      it("replaces the document together with a move, or does neither", async () => {
        const { id } = await queued();
        await store.claim(id);
        const document = { json: '{"with":"results"}', xml: null };
        const late = { document, title: "late", expectedVersion: 7 };
        expect(await failureOf(() => store.transition(id, "finish", { document: late }))).toMatchObject({
          code: "CONFLICT",
        });
        expect(await store.get(id)).toMatchObject({ status: "INPROGRESS", version: 1 });
        const change = { document, title: "done", expectedVersion: 1 };
        expect(await store.transition(id, "start", { document: change })).toMatchObject({ kind: "refused" });
        expect(await store.get(id)).toMatchObject({ status: "INPROGRESS", version: 1 });
        await store.transition(id, "finish", { document: change });
        expect(await store.get(id)).toMatchObject({ status: "FINISHED", version: 2, title: "done", document });
      });

      it("keeps why a job failed, and forgets it when the job is queued again", async () => {
        const { id } = await queued();
        await store.claim(id);
        await store.recordResult(id, { result: finishedEvent(id), modelFileIds: [] });
        await store.transition(id, "fail", { reason: KILLED });
        expect(await store.get(id)).toMatchObject({
          status: "ERROR",
          statusReason: KILLED,
          run: { finishedAt: nowMs },
        });
        await store.transition(id, "queue");
        expect(await store.get(id)).toMatchObject({
          status: "QUEUED",
          statusReason: null,
          run: { attempt: 0, startedAt: null, finishedAt: null, result: { event: "finished" } },
        });
      });

      it("refuses in every status what is not allowed there, and changes nothing", async () => {
        const paths = {
          CREATED: [],
          QUEUED: ["queue"],
          INPROGRESS: ["queue", "start"],
          FINISHED: ["queue", "start", "finish"],
          ERROR: ["fail"],
        } as const;
        const allowed: string[] = [];
        for (const status of JOB_STATUSES) {
          for (const event of ["queue", "start", "finish", "fail"] as const) {
            const { id } = await create();
            for (const step of paths[status]) await store.transition(id, step);
            const before = await store.get(id);
            expect(before.status).toBe(status);
            nowMs += 1;
            const result = await store.transition(id, event);
            if (result.kind === "moved") allowed.push(`${status} ${event} ${(await store.get(id)).status}`);
            else expect(await store.get(id)).toEqual(before);
          }
        }
        expect(allowed).toEqual([
          "CREATED queue QUEUED",
          "CREATED fail ERROR",
          "QUEUED start INPROGRESS",
          "QUEUED fail ERROR",
          "INPROGRESS finish FINISHED",
          "INPROGRESS fail ERROR",
          "FINISHED queue QUEUED",
          "ERROR queue QUEUED",
        ]);
      });

      it("records plan, progress and result of a run", async () => {
        const { id } = await queued();
        await store.claim(id, { plan: { workers: 1 } });
        await store.recordRun(id, { replicas: 4, elsewhere: "slurm job 7" });
        const progress = {
          epoch: 1,
          epochs: 3,
          step: 10,
          steps: 30,
          loss: 0.5,
          accuracy: null,
          lastEpoch: null,
          at: nowMs,
        };
        await store.recordProgress(id, progress);
        expect(await store.summary(id)).toMatchObject({
          progress,
          run: { workers: 1, replicas: 4, elsewhere: "slurm job 7" },
        });
        await store.recordRun(id, { elsewhere: null });
        expect(await store.summary(id)).toMatchObject({ run: { workers: 1, replicas: 4, elsewhere: null } });
      });
    });

    describe("the queue", () => {
      it("is first in, first out, by priority", async () => {
        expect(await store.queued(1)).toEqual([]);
        const first = await queued("first");
        await queued("second");
        await queued("urgent", 5);
        await queued("also urgent", 5);
        await queued("can wait", -1);
        await create("not queued");
        expect(await titlesQueued()).toEqual(["urgent", "also urgent", "first", "second", "can wait"]);
        expect(await store.queued(1)).toMatchObject([{ title: "urgent" }]);
        await store.setPriority(first.id, 9);
        expect(await store.queued(1)).toEqual([await store.summary(first.id)]);
        expect((await store.queued(2)).map(({ title }) => title)).toEqual(["first", "urgent"]);
      });

      it("puts a job that is queued again at the end", async () => {
        const [first] = [await queued("first"), await queued("second")];
        await store.transition(first.id, "fail");
        await store.transition(first.id, "queue");
        expect(await titlesQueued()).toEqual(["second", "first"]);
      });

      it("gives a job to one of many that claim it", async () => {
        const { id } = await queued();
        const claims = await Promise.all(
          Array.from({ length: 20 }, (_, index) => store.claim(id, { plan: { workers: index + 1 } })),
        );
        const won = claims.flatMap((claim, index) => (claim.kind === "moved" ? [index + 1] : []));
        expect(won).toHaveLength(1);
        expect(claims.filter(({ kind }) => kind === "refused")).toHaveLength(19);
        expect(await store.get(id)).toMatchObject({ status: "INPROGRESS", run: { attempt: 1, workers: won[0] } });
      });

      it("queues an interrupted job again at its old place, until that has happened three times", async () => {
        const [first, second, third, away] = [
          await queued("first"),
          await queued("second"),
          await queued("third"),
          await queued("away"),
        ];
        const done = await queued("done");
        for (const { id } of [first, second, away, done]) await store.claim(id);
        await store.recordRun(away.id, { elsewhere: "slurm job 7" });
        await store.transition(done.id, "finish");
        const interruption = { reason: KILLED, savedStep: 0 };
        for (const { id } of [second, first, third, away, done]) await store.interrupt(id, interruption);
        expect(await titlesQueued()).toEqual(["first", "second", "third"]);
        expect(await store.get(first.id)).toMatchObject({
          status: "QUEUED",
          statusReason: KILLED,
          queuedAt: first.queuedAt,
          queuePlace: first.queuePlace,
          run: { attempt: 1, interruptions: { times: 1, step: 0 }, startedAt: null },
        });
        expect(await store.get(third.id)).toEqual(third);
        expect(await store.get(away.id)).toMatchObject({ status: "INPROGRESS", statusReason: null });
        expect(await store.get(done.id)).toMatchObject({ status: "FINISHED" });
        for (const status of ["QUEUED", "ERROR"]) {
          await store.claim(first.id);
          expect(await store.interrupt(first.id, interruption)).toMatchObject({ status });
        }
        const failed = await store.summary(first.id);
        expect(failed).toMatchObject({
          statusReason: { ...KILLED, repeated: { times: 3, step: 0 } },
          queuePlace: null,
          run: { attempt: 3, interruptions: { times: 3, step: 0 }, finishedAt: nowMs },
        });
        expect(await store.interrupt(first.id, interruption)).toEqual(failed);
        expect(await failureOf(() => store.interrupt(NOBODY, interruption))).toMatchObject({ code: "NOT_FOUND" });
      });

      it("counts interruptions anew when the job got further, or a person queued it", async () => {
        const { id } = await queued();
        const interruptedAt = async (savedStep: number) => {
          await store.claim(id);
          const { status, run } = await store.interrupt(id, { reason: KILLED, savedStep });
          return [status, run.interruptions.times, run.interruptions.step];
        };
        expect(await interruptedAt(0)).toEqual(["QUEUED", 1, 0]);
        expect(await interruptedAt(0)).toEqual(["QUEUED", 2, 0]);
        expect(await interruptedAt(10)).toEqual(["QUEUED", 1, 10]);
        expect(await interruptedAt(4)).toEqual(["QUEUED", 2, 10]);
        await store.claim(id);
        // Sent back without blame: it counts neither way.
        expect((await store.sendBack(id, KILLED)).run.interruptions).toEqual({ times: 2, step: 10 });
        expect(await interruptedAt(10)).toEqual(["ERROR", 3, 10]);
        await store.transition(id, "queue");
        expect((await store.summary(id)).run.interruptions).toEqual({ times: 0, step: 0 });
        expect(await interruptedAt(10)).toEqual(["QUEUED", 1, 10]);
        await store.recordRun(id, { interruptions: { times: 0, step: 0 } });
        expect(await interruptedAt(5)).toEqual(["QUEUED", 1, 5]);
      });
    });

    describe("ends", () => {
      it("sends a job back to its place without blame, as often as it happens, and only one that runs here", async () => {
        const wanted = { min: 1, max: 3, engine: "tensorflow", threads: 2, precision: "bfloat16" } as const;
        const { id } = await store.create({ document: DOCUMENT });
        const other = await store.create({ document: DOCUMENT });
        await store.transition(id, "queue", { plan: { workersWanted: wanted } });
        await store.transition(other.id, "queue");
        for (let time = 0; time < 5; time++) {
          await store.claim(id, { plan: { workers: 2 } });
          const back = await store.sendBack(id, KILLED);
          expect(back).toMatchObject({ status: "QUEUED", statusReason: KILLED, progress: null });
          expect(back.run).toMatchObject({
            attempt: 0,
            earlierAttempts: time + 1,
            workers: null,
            workersWanted: wanted,
          });
          expect((await store.queued(9)).map((job) => job.id)).toEqual([id, other.id]);
          expect(await store.summary(id)).toEqual(back);
        }
        expect((await store.sendBack(id, null)).statusReason).toEqual(KILLED);
        await store.claim(other.id, { plan: { elsewhere: "there" } });
        expect(await store.sendBack(other.id, KILLED)).toMatchObject({ status: "INPROGRESS", statusReason: null });
        expect(await failureOf(() => store.sendBack(NOBODY, null))).toMatchObject({ code: "NOT_FOUND", id: NOBODY });
      });

      it("counts attempts since a person queued the job, and those before", async () => {
        const { id } = await store.create({ document: DOCUMENT });
        for (let time = 0; time < 3; time++) {
          await store.transition(id, "queue");
          await store.claim(id);
          expect((await store.summary(id)).run).toMatchObject({ attempt: 1, earlierAttempts: time });
          await store.transition(id, "finish");
        }
      });

      it("goes on behind a place of the queue, though the job there has gone", async () => {
        const ids: JobId[] = [];
        for (const priority of [0, 5, -3, 0, 5, 0]) {
          const { id } = await store.create({ document: DOCUMENT, priority });
          await store.transition(id, "queue");
          ids.push(id);
        }
        const all = await store.queued(10);
        expect(all.map(({ id }) => ids.indexOf(id))).toEqual([1, 4, 0, 3, 5, 2]);
        for (const [index, after] of all.entries()) {
          expect(await store.queued(2, after)).toEqual(all.slice(index + 1, index + 3));
        }
        const [, , third] = all;
        if (third !== undefined) await store.claim(third.id);
        expect(await store.queued(10, third)).toEqual(all.slice(3));
      });

      it("forgets a job", async () => {
        const [first, second] = [await create(), await create()];
        await store.addEvent(first.id, { kind: "step", data: "{}" });
        await store.delete(first.id);
        expect(await all()).toEqual([{ id: second.id, status: "CREATED" }]);
        expect(await failureOf(() => store.delete(first.id))).toMatchObject({ code: "NOT_FOUND", id: first.id });
        await store.delete(second.id);
        expect(await all()).toEqual([]);
        expect(await store.counts()).toMatchObject({ CREATED: 0 });
      });

      const calls: [string, (id: JobId) => Promise<unknown>][] = [
        ["get", (id) => store.get(id)],
        ["summary", (id) => store.summary(id)],
        ["replaceDocument", (id) => store.replaceDocument(id, 1, { document: DOCUMENT })],
        ["replaceDl4j", (id) => store.replaceDl4j(id, null)],
        ["setPriority", (id) => store.setPriority(id, 1)],
        ["transition", (id) => store.transition(id, "queue")],
        ["claim", (id) => store.claim(id)],
        ["recordRun", (id) => store.recordRun(id, {})],
        ["recordResult", (id) => store.recordResult(id, { result: null, modelFileIds: [] })],
        [
          "recordProgress",
          (id) => {
            const progress = {
              epoch: 0,
              epochs: 1,
              step: 0,
              steps: null,
              loss: null,
              accuracy: null,
              lastEpoch: null,
              at: 0,
            };
            return store.recordProgress(id, progress);
          },
        ],
        ["addMetrics", (id) => store.addMetrics(id, [])],
        ["metrics", (id) => store.metrics(id, { limit: 1 })],
        ["addEvent", (id) => store.addEvent(id, { kind: "x", data: "{}" })],
        ["events", (id) => store.events(id, 0, 1)],
        ["delete", (id) => store.delete(id)],
      ];
      it.each(calls)("%s says that there is no such job", async (_, call) => {
        await create();
        const failure = await failureOf(() => call(NOBODY));
        expect(failure).toMatchObject({ code: "NOT_FOUND", what: "job", id: NOBODY });
        expect(failure.message).toMatch(/there is no job 0123456789abcdef01234567\. It may have been deleted/);
      });

      it.each(calls)("%s says that the store has been closed", async (_, call) => {
        const { id } = await create();
        await store[Symbol.asyncDispose]();
        expect(await failureOf(() => call(id))).toMatchObject({
          code: "STORE_UNAVAILABLE",
          problem: "the store has been closed",
        });
      });

      it("finishes what was asked for before it closes", async () => {
        const asked = Array.from({ length: 50 }, () => create());
        await store[Symbol.asyncDispose]();
        expect(new Set((await Promise.all(asked)).map(({ id }) => id)).size).toBe(50);
        await store[Symbol.asyncDispose]();
      });
    });

    it("neither keeps hold of what it is given nor shares what it gives", async () => {
      const document = { json: "{}", xml: null as string | null };
      const { id } = await store.create({ document });
      await store.transition(id, "queue");
      await store.claim(id);
      const outcome = { result: finishedEvent(id), modelFileIds: ["1".repeat(24)] };
      const recording = store.recordResult(id, outcome);
      outcome.result.epochs = 99;
      outcome.modelFileIds.push("x");
      document.xml = "<changed/>";
      await recording;
      const before = await store.get(id);
      expect(before).toMatchObject({
        document: { xml: null },
        run: { result: { epochs: 3 }, modelFileIds: ["1".repeat(24)] },
      });
      before.run.modelFileIds.push("y");
      Object.assign(before.document, { json: "changed" });
      expect(await store.get(id)).toMatchObject({ document: { json: "{}" }, run: { modelFileIds: ["1".repeat(24)] } });
    });

    it("does a thousand calls at once, each wholly or not at all", async () => {
      const jobs = await Promise.all(Array.from({ length: 500 }, (_, index) => create(String(index))));
      const moves = jobs.flatMap(({ id }, index) => [
        store.transition(id, index % 3 === 0 ? "start" : "queue"),
        index % 2 === 0 ? store.delete(id) : store.setPriority(id, index),
      ]);
      await Promise.all(moves);
      const kept = jobs.filter((_, index) => index % 2 === 1);
      expect(await all()).toEqual(
        kept.map(({ id, title }) => ({ id, status: Number(title) % 3 === 0 ? "CREATED" : "QUEUED" })),
      );
      const expected = kept.map(({ title }) => title).filter((title) => Number(title) % 3 !== 0);
      expect(await titlesQueued()).toEqual(expected.reverse());
    });
  });
}
