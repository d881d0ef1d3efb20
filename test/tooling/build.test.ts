import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL("../../.ci/build", import.meta.url));
const BUILDS = 8;
/** In place of the compiler: writes who built, and what the script adds to. */
const COMPILER = `for last; do :; done
mkdir -p "$last/coordinator/vinnsl" "$last/coordinator/store" "$last/worker/mpi/sidecar"
echo "$BUILDER" >"$last/ringstrasse.js"`;
/** In place of the last step: none goes on before all have come so far. */
const BARRIER = `touch "here.$BUILDER"
until [ "$(echo here.* | wc -w)" -ge "$BUILDS" ]; do :; done`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringstrasse-test-"));
  await mkdir(join(folder, ".ci"));
  await cp(SCRIPT, join(folder, ".ci/build"));
  await writeScript("node_modules/.bin/tsc", COMPILER);
  await writeScript(".ci/build-bundle", "");
  await writeScript(".ci/build-kernels", "");
  await writeScript(".ci/build-dashboard", BARRIER);
  for (const source of ["coordinator/vinnsl/schemas", "coordinator/store/migrations", "worker/mpi/sidecar"])
    await mkdir(join(folder, source), { recursive: true });
  await writeFile(join(folder, "worker/mpi/sidecar/sidecar.c"), "");
});
afterEach(async () => rm(folder, { recursive: true }));

async function writeScript(name: string, body: string): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

function build(builder: number, builds: number) {
  const env = { ...process.env, BUILDER: String(builder), BUILDS: String(builds) };
  return run(join(folder, ".ci/build"), [], { env });
}

describe(".ci/build", () => {
  it("puts one whole build into place when several end at the same time", async () => {
    await build(0, 1);
    await Promise.all(Array.from({ length: BUILDS }, (_, at) => build(at + 1, BUILDS + 1)));
    expect((await readdir(folder)).filter((name) => name.startsWith("dist"))).toEqual(["dist"]);
    expect((await readdir(join(folder, "dist"))).sort()).toEqual([".built", "coordinator", "ringstrasse.js", "worker"]);
    expect(Number(await readFile(join(folder, "dist/ringstrasse.js"), "utf8"))).toBeGreaterThan(0);
  });

  it("leaves the last good one when it fails", async () => {
    await build(0, 1);
    await writeScript(".ci/build-dashboard", "exit 1");
    await expect(build(1, 1)).rejects.toThrow("Command failed");
    expect(await readFile(join(folder, "dist/ringstrasse.js"), "utf8")).toBe("0\n");
    expect((await readdir(folder)).filter((name) => name.startsWith("dist"))).toEqual(["dist"]);
  });
});
