import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { HAS_CHROMIUM } from "../../support/chromium.js";
import { EpochTimes } from "../../support/epoch-times.js";
import { ROOT, startCommand } from "../../support/run-command.js";
import { ask, askJson, exampleXml, type Serving, startServing, stopServing } from "../../support/serving.js";
import { networkXml } from "../../support/training-data.js";
import { shows, watchedPage } from "../../support/watched-page.js";

const IRIS_XML = join(ROOT, "examples/iris/iris.xml");
const IRIS_CSV = join(ROOT, "examples/iris/iris.csv");
const TOKEN = "a-good-token";
const READ_TOKEN = "for-looking-only";

/** Trains on iris until it is stopped; an epoch is one step of some 20 ms. */
function endlessXml(workers: number): string {
  const hardware = `<parallel>
    <hardware><general><valueparameter name="workers">${workers}</valueparameter></general></hardware>
    <software><data><structural><spmd><multicore/></spmd></structural></data></software>
  </parallel>`;
  return networkXml({
    inputs: 4,
    hidden: [800, 800],
    outputs: 3,
    parameters: { iterations: 1_000_000, learningrate: 0.01 },
  })
    .replace("<serial>true</serial>", hardware)
    .replace("<dataSchemaID>", "<dataSchemaID>name/iris.csv");
}

async function submitOnPage(page: Page, xml: string): Promise<string> {
  await page.getByRole("link", { name: "Submit", exact: true }).click();
  await page.getByLabel("Text of the document").fill(xml);
  await page.getByLabel("Data", { exact: true }).setInputFiles(IRIS_CSV);
  await page.getByRole("button", { name: "Submit" }).click();
  await page.locator(".job-header").waitFor();
  return new URL(page.url()).hash.replace("#/jobs/", "");
}

/** Runs in the page: notes when (milliseconds since 1970) it shows which epoch, from the first frame in which it does. */
const NOTE_EPOCHS = `(() => {
  window.seenEpochs = [];
  const look = () => {
    const text = document.querySelector("[data-figure='epoch']")?.textContent ?? "";
    if (text !== window.seenEpochs.at(-1)?.[0]) window.seenEpochs.push([text, Date.now()]);
    requestAnimationFrame(look);
  };
  look();
})()`;

/** Epochs with the times at which the page showed them. */
async function seenEpochs(page: Page): Promise<(readonly [number, number])[]> {
  const seen = (await page.evaluate("window.seenEpochs")) as [string, number][];
  return seen.map(([text, atMs]) => [Number((text.split("/")[0] ?? "").replaceAll(",", "")), atMs] as const);
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function clusterWorkers(serving: Serving, token?: string) {
  const { workers } = await askJson<{ workers: { id: string; pid: number; state: string }[] }>(
    serving,
    "/cluster",
    token === undefined ? {} : { token },
  );
  return workers;
}

describe.skipIf(!HAS_CHROMIUM)("dashboard on the real server (needs /usr/bin/chromium)", () => {
  it("iris from document to downloads: submitted, queued, trained, its files are those of the run", async () => {
    const serving = await startServing({ workers: 2 });
    const { page, complaints, strangers, open } = await watchedPage(serving.url);
    const answer = await page.goto(`${serving.url}/`);
    expect(answer?.headers()["content-security-policy"]).toContain("default-src 'self'");
    await open("#/submit");
    await page.getByLabel("ViNNSL document", { exact: true }).setInputFiles(IRIS_XML);
    await page.getByLabel("Data", { exact: true }).setInputFiles(IRIS_CSV);
    await page.getByRole("button", { name: "Submit" }).click();
    await page.getByRole("heading", { name: "Iris classification" }).waitFor();
    await shows(page, ".heading .badge", "FINISHED");
    await shows(page, "[data-figure='epoch']", "500 / 500");
    expect(await page.locator(".plot canvas").count()).toBeGreaterThanOrEqual(3);

    const id = new URL(page.url()).hash.replace("#/jobs/", "");
    const { result } = await askJson<{ result: { weightsSha256: string } }>(serving, `/cluster/jobs/${id}`);
    await page.getByText(result.weightsSha256).first().waitFor();
    const names = await page.locator(".files a").allTextContents();
    expect(names).toEqual(
      expect.arrayContaining(["model.json", "weights.bin", "model.safetensors", `${id}-trainingresult.xml`]),
    );
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "weights.bin", exact: true }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("weights.bin");
    const weights = await readFile(await download.path());
    expect(createHash("sha256").update(weights).digest("hex")).toBe(result.weightsSha256);

    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    await page.locator(`tr[data-job="${id}"] .badge`, { hasText: "FINISHED" }).waitFor();
    expect(complaints).toEqual([]);
    expect(strangers).toEqual([]);
    expect(await stopServing(serving)).toBe(0);
  });

  it("a metric is on the page within a second of its step; a second job waits, and starts when the first is cancelled", async () => {
    const serving = await startServing({ workers: 2 });
    const { page, complaints, strangers, open } = await watchedPage(serving.url);
    await open("#/jobs");
    const id = await submitOnPage(page, endlessXml(2));
    await page.locator(".connection.live").waitFor();
    await shows(page, ".heading .badge", "INPROGRESS");
    await expect.poll(() => page.locator("[data-rank]").count()).toBe(2);
    using epochs = new EpochTimes(join(serving.dataDirectory, "runs", id, "metrics.csv"));
    await page.evaluate(NOTE_EPOCHS);
    const delays = async () =>
      (await seenEpochs(page)).flatMap(([epoch, atMs]) => {
        const knownAtMs = epochs.times.get(epoch);
        return knownAtMs === undefined ? [] : [atMs - knownAtMs];
      });
    await expect.poll(async () => (await delays()).length, { timeout: 120_000 }).toBeGreaterThan(30);
    const measured = await delays();
    expect(median(measured)).toBeLessThan(1000);
    // Neither clock is ahead of the other: no figure is shown before it is known.
    expect(Math.min(...measured)).toBeGreaterThan(-5);

    const next = await submitOnPage(page, endlessXml(1));
    await shows(page, ".heading .badge", "QUEUED");
    await page.getByRole("link", { name: "Workers", exact: true }).click();
    const ring = page.getByRole("img", { name: "Ring of 2 workers", exact: true });
    await ring.waitFor();
    expect(await ring.locator("title").allTextContents()).toEqual([
      expect.stringMatching(/^rank 0 on .+, replicas 0$/),
      expect.stringMatching(/^rank 1 on .+, replicas 1$/),
    ]);
    await expect.poll(() => page.locator("ol.queue a").allTextContents()).toEqual([next]);
    await page.getByRole("link", { name: id }).first().click();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("button", { name: "Cancel job" }).click();
    await shows(page, ".heading .badge", "ERROR");
    await page.getByRole("region", { name: "Failure" }).getByText("CANCELLED", { exact: true }).waitFor();
    await open(`#/jobs/${next}`);
    await shows(page, ".heading .badge", "INPROGRESS");
    expect(complaints).toEqual([]);
    expect(strangers).toEqual([]);
    expect(await stopServing(serving)).toBe(0);
  });

  it("says that a worker is lost, on the workers page and with the job that it takes down", async () => {
    const serving = await startServing({
      workers: 1,
      args: ["--silence-timeout=4"],
      env: { RINGSTRASSE_TOKEN: TOKEN },
    });
    const joined = startCommand(["worker", "--coordinator", serving.controlEndpoint, "--worker-id", "guest"], {
      env: { RINGSTRASSE_TOKEN: TOKEN },
    });
    const { page, complaints, open } = await watchedPage(serving.url);
    await open("#/workers");
    await page.getByLabel("Token", { exact: true }).fill(TOKEN);
    await page.getByRole("button", { name: "Continue" }).click();
    await expect.poll(() => page.locator("tr[data-worker] .badge.idle").count(), { timeout: 30_000 }).toBe(2);
    const id = await submitOnPage(page, endlessXml(2));
    await shows(page, ".heading .badge", "INPROGRESS");
    await page.locator("[data-figure='epoch']", { hasText: /^[1-9]/ }).waitFor();
    // Nobody here sees how a process ends that was started elsewhere: it falls silent.
    process.kill((await clusterWorkers(serving, TOKEN)).find((worker) => worker.id === "guest")?.pid ?? 0, "SIGKILL");
    await joined.ended;
    await shows(page, ".heading .badge", "ERROR");
    const failure = page.getByRole("region", { name: "Failure" });
    expect(await failure.textContent()).toMatch(/^WORKER_SILENT.*Rank[01].*Replicas[01]/);
    await open("#/workers");
    await page.locator("tr[data-worker='guest'] .badge.lost").waitFor();
    await page.locator(".cluster-line", { hasText: "1 lost" }).waitFor();
    expect(await page.locator(`a[href="#/jobs/${id}"]`).count()).toBe(0);
    expect(complaints).toEqual([]);
    expect(await stopServing(serving)).toBe(0);
  });

  it("with tokens: asks, follows and downloads with the one for reading, may not train with it", async () => {
    const serving = await startServing({
      workers: 1,
      args: [`--read-token=${READ_TOKEN}`],
      env: { RINGSTRASSE_TOKEN: TOKEN },
    });
    const auth = { token: TOKEN };
    const form = new FormData();
    form.append("file", new Blob([await readFile(IRIS_CSV)]), "iris.csv");
    await askJson(serving, "/storage/upload", { method: "POST", body: form, ...auth });
    const { page, complaints, strangers, open } = await watchedPage(serving.url);
    await open("#/jobs");
    await page.getByLabel("Token", { exact: true }).fill("not-the-token");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("does not accept this token").waitFor();
    await page.getByLabel("Token", { exact: true }).fill(READ_TOKEN);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("No jobs yet.").waitFor();

    const posted = await ask(serving, "/vinnsl", {
      method: "POST",
      body: (await exampleXml(ROOT, "iris")).replace(/<dataSchemaID>[^<]*/, "<dataSchemaID>name/iris.csv"),
      type: "application/xml",
      ...auth,
    });
    expect(posted.status).toBe(201);
    const id = (posted.headers.get("location") ?? "").split("/").at(-1) ?? "";
    await page.locator(`tr[data-job="${id}"]`).waitFor();
    await open(`#/jobs/${id}`);
    await page.locator(".connection.live").waitFor();
    await page.getByRole("button", { name: "Train", exact: true }).click();
    await page.getByText("this token is for reading only").waitFor();
    await askJson(serving, `/vinnsl/${id}/train`, { method: "POST", ...auth });
    await shows(page, ".heading .badge", "FINISHED");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "weights.bin", exact: true }).click(),
    ]);
    const { result } = await askJson<{ result: { weightsSha256: string } }>(serving, `/cluster/jobs/${id}`, auth);
    const weights = await readFile(await download.path());
    expect(createHash("sha256").update(weights).digest("hex")).toBe(result.weightsSha256);
    expect(complaints).toEqual([]);
    expect(strangers).toEqual([]);
    expect(await stopServing(serving)).toBe(0);
  });
});
