import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineTable } from "../../../../coordinator/cli/engine-table.js";
import { engineUnavailable } from "../../../../coordinator/engines/engine-failure.js";
import { type Listing, listEngines } from "../../../../coordinator/engines/list-engines.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** A project with both official packages; nothing of them is loaded here. */
async function listing(change: Partial<Listing> = {}): Promise<Listing> {
  const project = await temporaryDirectory();
  for (const name of ["tfjs-node", "tfjs-node-gpu"]) {
    const directory = join(project, "node_modules/@tensorflow", name);
    await mkdir(join(directory, "lib/napi-v8"), { recursive: true });
    await mkdir(join(directory, "deps/lib"), { recursive: true });
    await writeFile(join(directory, "package.json"), '{"version":"4.22.0"}');
    await writeFile(join(directory, "lib/napi-v8/tfjs_binding.node"), "");
    await writeFile(join(directory, "deps/lib/libtensorflow.so.2.9.1"), "");
  }
  return {
    environment: { ["RINGSTRASSE_ENGINE_DIR"]: join(project, "store") },
    projectDirectory: project,
    cores: 4,
    threads: 2,
    quick: false,
    check: (engine, location, threads) =>
      Promise.resolve({ engine, version: "1", device: location?.device ?? "cpu", threads, gigaflops: 12.34 }),
    ...change,
  };
}

describe("the list of engines", () => {
  it("tells of each what it is and how fast", async () => {
    const engines = await listEngines(await listing());
    expect(
      engines.map(({ engine, status, origin, threads, gigaflops, measuredThreads }) => {
        return [engine, status, origin, threads, gigaflops, measuredThreads];
      }),
    ).toEqual([
      ["wasm", "ready", "package", 1, 12.34, 1],
      ["tensorflow", "ready", "project", 4, 12.34, 2],
      ["tensorflow-gpu", "ready", "project", 4, 12.34, 2],
    ]);
    const table = engineTable(engines);
    expect(table).toContain("12.3 GFLOP/s (2 threads)");
    expect(table).toContain("1-4");
    expect(table).toMatch(/^tensorflow lies in .+tfjs-node$/m);
  });

  it("measures nothing when it is to be quick", async () => {
    const check = () => Promise.reject(new Error("must not be called"));
    const engines = await listEngines(await listing({ quick: true, check }));
    expect(engines.map(({ status, gigaflops }) => [status, gigaflops])).toEqual(Array(3).fill(["ready", null]));
  });

  it("names what is missing with the command that installs it", async () => {
    const engines = await listEngines(await listing({ projectDirectory: "/" }));
    expect(engines[1]).toMatchObject({
      status: "missing",
      origin: null,
      remedy: "Run: ringstrasse engine install cpu",
    });
    expect(engineTable(engines)).toMatch(
      /^tensorflow-gpu: it is not installed in .+Run: ringstrasse engine install gpu$/m,
    );
  });

  it("tells of an engine that can't be used, and goes on with the others", async () => {
    const sound = await listing();
    const problem = { engine: "tensorflow", problem: "it ended with SIGILL", remedy: "Use --engine wasm" };
    const check: Listing["check"] = (engine, location, threads) =>
      engine === "tensorflow" ? Promise.reject(engineUnavailable(problem)) : sound.check(engine, location, threads);
    const engines = await listEngines({ ...sound, check });
    expect(engines.map(({ status }) => status)).toEqual(["ready", "broken", "ready"]);
    expect(engineTable(engines)).toContain("tensorflow: it ended with SIGILL. Use --engine wasm");
  });

  it("tells of a GPU engine without a GPU", async () => {
    const sound = await listing();
    const check: Listing["check"] = async (engine, location, threads) => {
      return { ...(await sound.check(engine, location, threads)), device: "cpu" };
    };
    const engines = await listEngines({ ...sound, check });
    expect(engines[2]).toMatchObject({ status: "no device", device: "gpu", gigaflops: null });
    expect(engines[2]?.remedy).toContain("nvidia-smi");
  });

  it("lets through what is no engine's fault", async () => {
    const check = () => Promise.reject(new Error("interrupted"));
    await expect(listEngines(await listing({ check }))).rejects.toThrow("interrupted");
  });
});
