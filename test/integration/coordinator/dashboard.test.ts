import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Failure } from "../../../shared/failure.js";
import { HAS_CHROMIUM } from "../../support/chromium.js";
import { DashboardServer } from "../../support/dashboard-server.js";
import { RecordedJob, recordedEvents } from "../../support/recorded-job.js";
import { ROOT } from "../../support/run-command.js";
import { epochEvent, startedEvent, stepEvent } from "../../support/train-events.js";
import { shows, type WatchedPage, watchedPage } from "../../support/watched-page.js";

const PAGE = join(ROOT, "dist/coordinator/dashboard");
const IRIS_XML = join(ROOT, "examples/iris/iris.xml");
const IRIS_CSV = join(ROOT, "examples/iris/iris.csv");
const ID = "65b1c2d3e4f5a6b7c8d9e0f1";

interface SetUp extends WatchedPage {
  readonly server: DashboardServer;
}

async function setUp(
  options: { readonly token?: string; readonly browser?: BrowserContextOptions } = {},
): Promise<SetUp> {
  const server = await DashboardServer.start({ page: PAGE, ...(options.token && { token: options.token }) });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { server, ...(await watchedPage(server.origin, options.browser)) };
}

/** A job that is at work: everything of the recording up to its eighth step. */
function runningJob(server: DashboardServer): RecordedJob {
  const job = server.add(new RecordedJob(ID, "Handwritten digits"));
  job.hear(job.moveTo("INPROGRESS"));
  for (const event of recordedEvents().slice(0, 11)) job.hear(event);
  return job;
}

const figure = (page: Page, name: string) => page.locator(`[data-figure="${name}"]`);
const badge = (page: Page) => page.locator(".heading .badge");

/** Runs in the page before anything else: goes to another page as soon as the first one is drawn. */
const LEAVE_AT_ONCE = `new MutationObserver((_, observer) => {
  if (document.querySelector("#app nav") === null) return;
  observer.disconnect();
  location.hash = "#/submit";
}).observe(document, { childList: true, subtree: true })`;

describe.skipIf(!HAS_CHROMIUM)("dashboard in Chromium (needs /usr/bin/chromium)", () => {
  it("hears of an address that changes before its first frame", async () => {
    const { page, open } = await setUp();
    await page.addInitScript(LEAVE_AT_ONCE);
    await open("#/jobs");
    await page.waitForURL((url) => url.hash === "#/submit");
    await page.getByLabel("ViNNSL document", { exact: true }).waitFor();
  });

  it("shows a step within a second of its event, and the epoch's figures with it", async () => {
    const { server, page, open, complaints, strangers } = await setUp();
    runningJob(server);
    await open(`#/jobs/${ID}`);
    await page.locator(".connection.live").waitFor();
    expect(await badge(page).textContent()).toBe("INPROGRESS");
    expect(await figure(page, "step").textContent()).toBe("8");
    for (const step of [9, 10, 11]) {
      const began = performance.now();
      server.push(ID, stepEvent(2, step));
      await shows(page, '[data-figure="step"]', String(step));
      expect(performance.now() - began).toBeLessThan(1_000);
    }
    expect(await figure(page, "step-loss").textContent()).toBe("0.09091");
    expect(await page.locator("[data-rank='1'] td").nth(3).textContent()).toBe("30");
    const epoch = recordedEvents().find((event) => event.event === "epoch" && event.epoch === 2)!;
    server.push(ID, epoch);
    await expect.poll(() => figure(page, "epoch").textContent()).toBe("2 / 4");
    expect(await page.locator(".plot canvas").count()).toBe(4);
    expect(complaints).toEqual([]);
    expect(strangers).toEqual([]);
  });

  it("shows how far asynchronous workers are apart, and the rounds of local-sgd, beside the other figures", async () => {
    const { server, page, open, complaints } = await setUp();
    const job = (id: string, configuration: Record<string, string | number>): RecordedJob => {
      const added = server.add(new RecordedJob(id, "Strategies"));
      for (const event of [added.moveTo("INPROGRESS"), startedEvent({ stepsPerEpoch: 7, configuration })]) {
        added.hear(event);
      }
      return added;
    };
    job("asynchronous", { strategy: "async", maxStaleness: 4 });
    job("in-rounds", { strategy: "local-sgd", syncEvery: 3, stepsOfRound: 3 });
    runningJob(server);
    await open("#/jobs/asynchronous");
    await shows(page, '[data-figure="mean-staleness"]', "–");
    server.push("asynchronous", epochEvent(1, { meanStaleness: 1.25, maxStaleness: 3, maxStepsAhead: 2 }));
    await shows(page, '[data-figure="mean-staleness"]', "1.250");
    await shows(page, '[data-figure="steps-ahead"]', "2");
    await open("#/jobs/in-rounds");
    await shows(page, '[data-figure="round"]', "0 / 9");
    for (const step of [1, 2, 3]) server.push("in-rounds", stepEvent(1, step));
    await shows(page, '[data-figure="round"]', "1 / 9");
    expect(await figure(page, "mean-staleness").count()).toBe(0);
    await open(`#/jobs/${ID}`);
    await page.locator(".connection.live").waitFor();
    for (const name of ["round", "mean-staleness", "steps-ahead"]) expect(await figure(page, name).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("has all charts follow the job again after the double click that undoes a zoom", async () => {
    const { server, page, open } = await setUp();
    runningJob(server);
    await open(`#/jobs/${ID}`);
    await page.locator(".connection.live").waitFor();
    const charts = page.locator(".plot");
    const stepsUntil = async (from: number, to: number) => {
      for (let step = from; step <= to; step++) server.push(ID, stepEvent(2, step));
      await shows(page, '[data-figure="step"]', String(to));
    };
    /** The step that the chart's right end shows. */
    const lastShown = async (index: number) => {
      const { x, y, width, height } = (await charts.nth(index).locator(".u-over").boundingBox())!;
      await page.mouse.move(x + width / 2, y + height / 2);
      await page.mouse.move(x + width - 1, y + height / 2);
      return Number(await charts.nth(index).locator(".u-value").first().textContent());
    };
    await stepsUntil(9, 40);
    await charts.first().scrollIntoViewIfNeeded();
    await expect.poll(() => lastShown(2)).toBe(40);
    const { x, y, width, height } = (await charts.first().locator(".u-over").boundingBox())!;
    await page.mouse.move(x + width / 4, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + height / 2, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => lastShown(2)).toBeLessThan(30);
    await stepsUntil(41, 60);
    expect(await lastShown(2)).toBeLessThan(30);
    await charts.first().locator(".u-over").dblclick();
    await expect.poll(() => lastShown(2)).toBe(60);
    await stepsUntil(61, 160);
    for (const index of [0, 1, 2]) await expect.poll(() => lastShown(index)).toBe(160);
  });

  it("goes on where it was after the connection broke, without a gap and without a doubled event", async () => {
    const { server, page, open, complaints } = await setUp();
    const job = runningJob(server);
    await open(`#/jobs/${ID}`);
    await page.locator(".connection.live").waitFor();
    const known = job.events.length;
    server.dropStreams();
    server.hear(ID, stepEvent(2, 9));
    server.hear(ID, { event: "warning", message: "the network was away" });
    await shows(page, '[data-figure="step"]', "9");
    await page.locator(".connection.live").waitFor();
    server.push(ID, stepEvent(2, 10));
    await shows(page, '[data-figure="step"]', "10");
    expect(await page.locator(".note.warning").count()).toBe(1);
    expect(server.resumedAfter).toEqual([known, known]);
    expect(complaints).toEqual([]);
  });

  it("keeps answering in a further tab, however many jobs lie open in others", async () => {
    const { server, page, open } = await setUp();
    runningJob(server);
    for (let tab = 0; tab < 7; tab++) {
      const other = await page.context().newPage();
      await other.goto(`${server.origin}/#/jobs/${ID}`);
      await other.locator(".connection.live").waitFor();
      // What a browser does with tabs that lie behind others; a headless one shows them all.
      await other.evaluate(
        "Object.defineProperty(document, 'hidden', { value: true }); document.dispatchEvent(new Event('visibilitychange'));",
      );
    }
    await open("#/jobs");
    await page.locator(`tr[data-job="${ID}"]`).waitFor({ timeout: 10_000 });
    await expect.poll(() => server.openStreams).toBe(0);
  });

  it("says so while the coordinator is away, and shows what it knew", async () => {
    const { server, page, open } = await setUp();
    runningJob(server);
    await open(`#/jobs/${ID}`);
    await page.locator(".connection.live").waitFor();
    await server[Symbol.asyncDispose]();
    await page.locator(".connection.lost").waitFor();
    await page.getByText("coordinator not reachable").waitFor();
    expect(await figure(page, "step").textContent()).toBe("8");
  });

  it("submits a document with its data, and cancels the job after asking", async () => {
    const { server, page, open, complaints } = await setUp();
    await open("#/submit");
    await page.getByLabel("ViNNSL document", { exact: true }).setInputFiles(IRIS_XML);
    await page.getByLabel("Data", { exact: true }).setInputFiles(IRIS_CSV);
    await page.getByRole("button", { name: "Submit" }).click();
    await page.getByRole("heading", { name: "Iris classification" }).waitFor();
    expect(await badge(page).textContent()).toBe("QUEUED");
    const [id] = server.jobs.keys();
    expect(page.url()).toBe(`${server.origin}/#/jobs/${id}`);
    expect(server.jobs.get(id!)?.xml).toBe(await readFile(IRIS_XML, "utf8"));
    expect(server.uploads).toEqual([{ name: "iris.csv", bytes: (await readFile(IRIS_CSV)).length }]);
    expect(server.requests).toContain(`PUT /vinnsl/${id}/addfile?fileId=file1`);

    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Keep" }).click();
    expect(server.requests).not.toContain(`POST /vinnsl/${id}/cancel`);
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel job" }).click();
    await shows(page, ".heading .badge", "ERROR");
    expect(server.requests).toContain(`POST /vinnsl/${id}/cancel`);
    await page.getByRole("button", { name: "Retrain" }).waitFor();
    await page.getByRole("button", { name: "Begin anew" }).click();
    await page.getByRole("button", { name: "Begin job anew" }).click();
    await shows(page, ".heading .badge", "QUEUED");
    expect(server.requests).toContain(`POST /vinnsl/${id}/retrain?resume=never`);
    expect(complaints).toEqual([]);
  });

  it("says what is wrong with a document: at once what the browser sees, then the server's element path and line", async () => {
    const { server, page, open } = await setUp();
    await open("#/submit");
    const text = page.getByLabel("Text of the document");
    await text.fill("<vinnsl>\n<definition>\n</vinnsl>");
    await page.getByText(/Line 3/).waitFor();
    await page.getByRole("button", { name: "Submit" }).click();
    expect(server.requests.filter((request) => request.startsWith("POST"))).toEqual([]);
    const xml = await readFile(IRIS_XML, "utf8");
    await text.fill(xml.replace(/(<definition>[\s\S]*<hidden>[\s\S]*?<size>)3/, "$1three"));
    await page.getByRole("button", { name: "Submit" }).click();
    const alert = page.getByRole("alert");
    await alert.getByText("DOCUMENT_INVALID").waitFor();
    expect(await alert.textContent()).toMatch(/\/vinnsl\/definition\/structure\/hidden.*\/size/);
    expect(await alert.textContent()).toMatch(/Line\d+/);
    expect(server.jobs.size).toBe(0);
  });

  it("says of a job that was deleted elsewhere that it is followed no longer, and offers nothing to do with it", async () => {
    const { server, page, open } = await setUp();
    runningJob(server);
    await open(`#/jobs/${ID}`);
    await page.getByRole("button", { name: "Cancel", exact: true }).waitFor();
    await page.locator(".connection.live").waitFor();
    server.jobs.delete(ID);
    server.dropStreams();
    await page.getByText("no longer followed").waitFor();
    await page.getByRole("alert").getByText("NOT_FOUND").waitFor();
    expect(await page.locator(".job-header button.danger-outline").count()).toBe(0);
  });

  it("shows a failure with its code, its culprit and what to do", async () => {
    const { server, page, open } = await setUp();
    const job = runningJob(server);
    await open(`#/jobs/${ID}`);
    await page.locator(".connection.live").waitFor();
    const remedy = "Lower the learning rate, or look for extreme values in the data";
    const failure: Failure = {
      code: "NOT_FINITE",
      epoch: 2,
      step: 9,
      tensor: "gradient of Hidden1/kernel",
      value: "NaN",
      learningRate: 0.05,
      remedy,
    };
    server.push(ID, job.moveTo("ERROR", failure));
    const panel = page.getByRole("region", { name: "Failure" });
    await panel.getByText(remedy).waitFor();
    // The event has the message alone; the culprit is asked for.
    await expect.poll(() => panel.textContent()).toMatch(/NOT_FINITE.*Step9.*gradient of Hidden1\/kernel/);
    expect(await badge(page).textContent()).toBe("ERROR");
  });

  it("lists jobs newest first, follows them, filters by status and turns pages", async () => {
    const { server, page, open } = await setUp();
    for (let index = 0; index < 51; index++) server.add(new RecordedJob(`job-${index}`, `Job ${index}`));
    await open("#/jobs");
    await page.locator("tr[data-job='job-50']").waitFor();
    expect(await page.locator("tbody tr").count()).toBe(50);
    expect(await page.locator("tbody tr").first().getAttribute("data-job")).toBe("job-50");
    const job = server.jobs.get("job-7")!;
    job.hear(job.moveTo("QUEUED"));
    await shows(page, "tr[data-job='job-7'] .badge", "QUEUED");
    await page.getByRole("button", { name: "Older" }).click();
    await page.locator("tr[data-job='job-0']").waitFor();
    expect(await page.locator("tbody tr").count()).toBe(1);
    await page.getByRole("link", { name: "QUEUED" }).click();
    await page.locator("tr[data-job='job-7']").waitFor();
    await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
  });

  it("shows workers, their ring and the queue", async () => {
    const { server, page, open } = await setUp();
    const worker = (rank: number) => ({
      rank,
      id: `w${rank}`,
      host: "node01",
      pid: 40 + rank,
      replicas: [2 * rank, 2 * rank + 1],
    });
    const shared = { state: "busy", jobId: ID, engine: "wasm 4.22.0", lastHeartbeatMs: 12, step: 8 } as const;
    server.cluster.workers.push({ ...shared, ...worker(0) }, { ...shared, ...worker(1), state: "lost" });
    server.cluster.queue.push("next-job");
    server.cluster.queued = 3;
    await open("#/workers");
    await page.locator("tr[data-worker='w1'] .badge.lost").waitFor();
    const ring = page.getByRole("img", { name: /Ring of 2 workers; rank 1 on node01, replicas 2–3, lost/ });
    expect(await ring.locator("g").count()).toBe(2);
    expect(await page.getByRole("link", { name: "next-job" }).getAttribute("href")).toBe("#/jobs/next-job");
    await page.getByText("and 2 more").waitFor();
    await page.getByText("3 queued").waitFor();
  });

  it("asks for the token that the server wants, keeps it for the tab, and asks again for a wrong one", async () => {
    const { server, page, open } = await setUp({ token: "secret" });
    runningJob(server);
    await open("#/jobs");
    await page.getByLabel("Token", { exact: true }).fill("wrong");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("does not accept this token").waitFor();
    await page.getByLabel("Token", { exact: true }).fill("sec…ret");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("alert").getByText("no header could carry them").waitFor();
    await page.getByLabel("Token", { exact: true }).fill("secret");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.locator(`tr[data-job="${ID}"]`).waitFor();
    await page.reload();
    await page.locator(`tr[data-job="${ID}"]`).waitFor();
    await open(`#/jobs/${ID}`);
    await page.locator(".connection.live").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  it("can be used with the keyboard alone", async () => {
    const { server, page, open } = await setUp();
    const job = runningJob(server);
    await open(`#/jobs/${ID}`);
    const cancel = page.getByRole("button", { name: "Cancel", exact: true });
    await cancel.waitFor();
    await cancel.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    await cancel.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await shows(page, ".heading .badge", "ERROR");
    expect(job.summary.statusReason?.code).toBe("INTERRUPTED");
  });

  it.each(["light", "dark"] as const)(
    "fits a phone without scrolling sideways, in the %s scheme",
    async (colorScheme) => {
      const browser = { viewport: { width: 390, height: 844 }, colorScheme };
      const { server, page, open } = await setUp({ browser });
      runningJob(server);
      for (const [hash, ready] of [
        ["#/jobs", "tbody tr"],
        [`#/jobs/${ID}`, ".connection.live"],
        ["#/workers", "#queue-title"],
        ["#/submit", "textarea"],
      ] as const) {
        await open(hash);
        await page.locator(ready).first().waitFor();
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
      }
      const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      expect(background).toBe(colorScheme === "light" ? "rgb(246, 247, 249)" : "rgb(18, 22, 28)");
    },
  );

  it("stays as small over a long run", async () => {
    const { server, page, open } = await setUp();
    runningJob(server);
    await open(`#/jobs/${ID}`);
    await page.locator(".connection.live").waitFor();
    const devtools = await page.context().newCDPSession(page);
    const heapBytes = async () => {
      await devtools.send("HeapProfiler.collectGarbage");
      return (await devtools.send("Runtime.getHeapUsage")).usedSize;
    };
    const pushUntil = async (from: number, to: number) => {
      for (let step = from; step <= to; step++) server.push(ID, stepEvent(2, step));
      await shows(page, '[data-figure="step"]', to.toLocaleString("en-GB"));
    };
    await pushUntil(9, 6_000);
    const before = await heapBytes();
    await pushUntil(6_001, 30_000);
    expect(await heapBytes()).toBeLessThan(before + 4_000_000);
  });
});

describe("the built dashboard", () => {
  it("weighs less than 100 kB compressed, in files of its own: no inlined scripts or styles, no other address", async () => {
    const names = await readdir(PAGE, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const contents = await Promise.all(files.map((file) => readFile(file)));
    const sizeBytes = contents.reduce((sum, content) => sum + gzipSync(content).length, 0);
    expect(sizeBytes).toBeGreaterThan(10_000);
    expect(sizeBytes).toBeLessThan(100_000);
    const html = await readFile(join(PAGE, "index.html"), "utf8");
    expect(html).toMatch(/<script type="module"[^>]* src="\/assets\/[^"]+"><\/script>/);
    expect(html).not.toMatch(/<style|style=|<script(?![^>]* src=)|\bon\w+=|https?:|data:/);
    const styles = contents.filter((_, index) => files[index]?.endsWith(".css")).join("\n");
    expect(styles).not.toMatch(/url\(|@import/);
  });
});
