import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { MPI_LAUNCHERS } from "../support/mpi-launchers.js";
import { ROOT } from "../support/run-command.js";

const run = promisify(execFile);
const PROGRAM = join(ROOT, "test/support/crowded-heap.mjs");
const MODULE = join(ROOT, "dist/worker/mpi/mpi-library.js");

for (const { name, command, library, options, isInstalled } of MPI_LAUNCHERS) {
  describe.skipIf(!isInstalled)(`a process whose heap can't grow begins ${name}`, () => {
    it("nothing of the heap is lost", async () => {
      const { stdout } = await run(command, [...options, "-np", "2", process.execPath, PROGRAM, library, MODULE]);
      expect(stdout.trim().split("\n")).toEqual(["kept", "kept"]);
    });
  });
}
