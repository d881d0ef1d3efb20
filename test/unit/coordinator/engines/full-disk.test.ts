import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { engineRecipe } from "../../../../coordinator/engines/engine-recipe.js";
import { openHttpClient } from "../../../../coordinator/engines/http-client.js";
import { installEngine } from "../../../../coordinator/engines/install-engine.js";
import { currentPlatform } from "../../../../coordinator/engines/platform-check.js";
import { platformName } from "../../../../shared/engine-store/engine-directory.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { serveRegistries, sourceOf } from "../../../support/registry-server.js";
import { HAS_COMPILER } from "../../../support/tiny-engine.js";

const MIB = 2 ** 20;
const place = mkdtempSync(join(tmpdir(), "ringstrasse-test-"));

/** Takes root, and a kernel that lets it. */
function mount(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place], { stdio: "ignore" });
    return true;
  } catch {
    rmSync(place, { recursive: true, force: true });
    return false;
  }
}

const isMounted = HAS_COMPILER && mount();

describe.skipIf(!isMounted)("a disk that fills while an engine is fetched (needs root for a small tmpfs)", () => {
  let bytes: Buffer;
  beforeAll(() => {
    bytes = randomBytes(2 * MIB);
  });
  afterAll(() => {
    execFileSync("umount", [place]);
    rmSync(place, { recursive: true, force: true });
  });

  it("ends the installation with what to do", async () => {
    const source = sourceOf({ registry: "pypi", package: "big", file: "big-1.0.0.whl", take: [] }, bytes);
    const server = await serveRegistries([{ source, bytes }]);
    const http = openHttpClient({}, []);
    onTestFinished(() => http[Symbol.asyncDispose]());
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () =>
      installEngine({
        recipe: { ...engineRecipe("tensorflow"), platform: platformName(), sources: [source] },
        root: place,
        platform: currentPlatform(),
        http,
        registries: server.registries,
        environment: { ["PATH"]: process.env["PATH"] },
        check: () => Promise.reject(new Error("must not come that far")),
        // Somebody else fills it after the check.
        freeBytes: () => Promise.resolve(1e12),
        retries: { attempts: 2, firstPauseMs: 1 },
        force: false,
        emit: () => null,
        signal: new AbortController().signal,
      }),
    );
    expect(refused.problem).toContain(`${place} can't be written (ENOSPC`);
    expect(refused.remedy).toContain("RINGSTRASSE_ENGINE_DIR to a directory on another device");
  });
});
