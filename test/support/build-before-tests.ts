import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What a project's tests read from dist/, and from which sources that is made. */
interface Build {
  readonly script: string;
  readonly product: string;
  readonly sources: readonly string[];
}
/** All that tests of sources need: the kernels, which no test runner can compile on the way. */
const KERNELS: Build = {
  script: "build:kernels",
  product: "dist/worker/kernels/kernels.wasm",
  sources: ["worker/kernels/assembly", ".ci/build-kernels"],
};
const EVERYTHING: Build = {
  script: "build",
  // A stamp with the time at which the build began.
  product: "dist/.built",
  sources: [
    "ringstrasse.ts",
    "coordinator",
    "worker",
    "shared",
    "bench",
    "tsconfig.json",
    "tsconfig.build.json",
    ".ci",
  ],
};

/**
 * Global set-up of every project: builds what its tests read from dist/ when a source is newer, so that no test runs an old command.
 * @throws when the build fails; then no test of the project runs
 */
export default function buildBeforeTests(project: TestProject): void {
  const build = project.name === "unit" ? KERNELS : EVERYTHING;
  const product = join(ROOT, build.product);
  const builtAtMs = existsSync(product) ? statSync(product).mtimeMs : 0;
  if (build.sources.every((source) => newestMs(join(ROOT, source)) <= builtAtMs)) return;
  execFileSync("npm", ["run", "--silent", build.script], { cwd: ROOT, stdio: "inherit" });
}

/** Newest modification below `path`; of folders too, since removing a file changes only those. */
function newestMs(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}
