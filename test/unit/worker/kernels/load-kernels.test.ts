import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { toFailure } from "../../../../shared/failure.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";

async function fileWith(bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kernels-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "kernels.wasm");
  await writeFile(path, bytes);
  return path;
}

const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

describe("loading the kernels", () => {
  it("names a file that is not there", async () => {
    const failure = toFailure(await compileKernels("/nowhere/kernels.wasm").catch((error: unknown) => error));
    expect(failure).toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      problem: "/nowhere/kernels.wasm can't be read",
      remedy: "Build the project with npm run build",
    });
  });

  it("names a file that is no module", async () => {
    const path = await fileWith(Uint8Array.of(1, 2, 3));
    const failure = toFailure(await compileKernels(path).catch((error: unknown) => error));
    expect(failure).toMatchObject({ code: "ENGINE_UNAVAILABLE", problem: `${path} can't be compiled` });
  });

  it("names the kernels that a module lacks", async () => {
    const module = await compileKernels(await fileWith(EMPTY_MODULE));
    expect(() => instantiateKernels(module, new SharedMemory().memory)).toThrow(/lacks add, /);
  });

  it("works in another thread on the same memory, without disturbing what lies there", async () => {
    const module = await compileKernels();
    const memory = new SharedMemory();
    const kernels = instantiateKernels(module, memory.memory);
    const lowest = memory.float32(0, 256).fill(9);
    const [a, out] = [memory.allocate(64), memory.allocate(64)];
    memory.float32(a, 16).fill(1.5);
    const code = `
      const { workerData: { module, memory, a, out } } = require("node:worker_threads");
      const { exports } = new WebAssembly.Instance(module, { env: { memory } });
      exports.add(out, a, a, 16);`;
    const worker = new Worker(code, { eval: true, workerData: { module, memory: memory.memory, a, out } });
    await new Promise((resolve, reject) => worker.once("exit", resolve).once("error", reject));
    expect(Array.from(memory.float32(out, 16))).toEqual(Array(16).fill(3));
    expect(lowest.every((value) => value === 9)).toBe(true);
    kernels.add(out, out, a, 16);
    expect(memory.float32(out, 16)[15]).toBe(4.5);
  });
});
