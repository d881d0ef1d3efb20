import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findGloo } from "../../../../bench/allreduce/peer-systems.js";
import { sizePlan } from "../../../../bench/allreduce/size-plan.js";

/** In place of a Python: tells a version, waits as rank 0, and fails as rank 1 once rank 0 waits. */
const PYTHON = `#!/bin/sh
case "$1" in -c) echo 1.13; exit;; esac
here=$(dirname "$0")
if [ "$2" = 0 ]; then echo $$ > "$here/pid"; mv "$here/pid" "$here/waits"; exec sleep 60; fi
until [ -e "$here/waits" ]; do :; done
echo "no memory" >&2
exit 1
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringstrasse-test-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

describe("findGloo", () => {
  it("fails with the rank that fails, and leaves none that waits for it", async () => {
    const python = join(folder, "python");
    await writeFile(python, PYTHON);
    await chmod(python, 0o755);
    const { version, measure } = await findGloo({ path: "", python, folder });
    expect(version).toBe("PyTorch 1.13");
    await expect(measure(2, [sizePlan(4)], 60_000)).rejects.toThrow("no memory");
    const pid = Number(await readFile(join(folder, "waits"), "utf8"));
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});
