import type { BrowserContextOptions, Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { freshBrowser } from "./chromium.js";

/** A page of the dashboard in a browser of its own, and what the browser had to say about it. */
export interface WatchedPage {
  readonly page: Page;
  /** Everything the browser complained about: errors of the page, violations of its content security policy. */
  readonly complaints: string[];
  /** Addresses asked for that lie on another server. */
  readonly strangers: string[];
  /** Shows the page at `hash`, e.g. `#/jobs`. */
  open(hash: string): Promise<void>;
}

/** Opens a browser for the dashboard of the server at `origin`; it is closed when the test has finished. */
export async function watchedPage(origin: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const browser = await freshBrowser(options);
  onTestFinished(() => browser[Symbol.asyncDispose]());
  const page = await browser.context.newPage();
  const complaints: string[] = [];
  const strangers: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // A refusal of the server is no fault of the page; Chromium logs each one as an error of its own.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  page.on("request", (request) => {
    const { origin: asked, protocol } = new URL(request.url());
    if (asked !== origin && protocol !== "blob:") strangers.push(request.url());
  });
  return { page, complaints, strangers, open: async (hash) => void (await page.goto(`${origin}/${hash}`)) };
}

/** Waits in the page itself, frame by frame, until what `selector` finds shows `text` and nothing else. */
export function shows(page: Page, selector: string, text: string): Promise<void> {
  return page.locator(selector, { hasText: new RegExp(`^${text}$`) }).waitFor();
}
