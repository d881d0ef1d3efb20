import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** An empty directory of the running test's own; removed with all that is in it when the test has finished. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ringstrasse-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}
