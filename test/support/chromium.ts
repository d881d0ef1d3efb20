import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";

const EXECUTABLE = "/usr/bin/chromium";
/** Nothing but the pages that a test opens may use the network. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Whether Debian's package `chromium` is installed; tests that need it skip by name where it isn't. */
export const HAS_CHROMIUM = existsSync(EXECUTABLE);

/** A browser with a profile of its own, both gone when disposed of. */
export interface FreshBrowser extends AsyncDisposable {
  readonly context: BrowserContext;
}

export async function freshBrowser(options: BrowserContextOptions = {}): Promise<FreshBrowser> {
  const profile = await mkdtemp(join(tmpdir(), "ringstrasse-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    args: ARGUMENTS,
    ...options,
  });
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
