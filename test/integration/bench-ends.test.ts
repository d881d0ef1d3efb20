import { randomUUID } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { markedProcesses } from "../support/marked-processes.js";
import { ROOT, startProcess } from "../support/run-command.js";

const HAS_PROC = process.platform === "linux";

describe.skipIf(!HAS_PROC)("a benchmark that is ended (needs /proc)", () => {
  it.each(["SIGTERM", "SIGHUP"] as const)(
    "by %s leaves neither its server nor the worker that joined",
    async (signal) => {
      const mark = randomUUID();
      const entry = join(ROOT, "dist/bench/kill-server.js");
      const bench = startProcess(process.execPath, [entry, "--kills=3"], { env: { MARK: mark } });
      await bench.until((_, stderr) => stderr.includes("0 kills ("));
      // Itself, a server with its worker, and the one that joined.
      expect(markedProcesses(mark).length).toBeGreaterThanOrEqual(4);
      bench.child.kill(signal);
      expect((await bench.ended).stdout).toBe("");
      await expect.poll(() => markedProcesses(mark), { timeout: 60_000 }).toEqual([]);
    },
  );
});
