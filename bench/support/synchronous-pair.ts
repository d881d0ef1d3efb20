import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";

const LOOP = fileURLToPath(new URL("./paced-loop.js", import.meta.url));
const CALIBRATION_PASSES = 200;
const CALIBRATION_CHUNKS = 8;

/**
 * What waiting for each other costs two processes on this machine when they exchange nothing at all: two loops, each pinned to a core of
 * its own, computing equal chunks independently or in step. On a machine whose cores don't run at one speed all the time, the pair goes
 * as fast as the slower core at every step: no training can synchronise for less. Linux only.
 */
export class LoopPair implements Disposable {
  readonly #loops: readonly PacedLoop[];

  private constructor(loops: readonly PacedLoop[]) {
    this.#loops = loops;
  }

  /** @param chunkMs about how long a chunk takes */
  static async start(chunkMs: number): Promise<LoopPair> {
    const calibrating = await PacedLoop.start(0, CALIBRATION_PASSES);
    const began = performance.now();
    for (let chunk = 0; chunk < CALIBRATION_CHUNKS; chunk++) await calibrating.chunk();
    const passMs = (performance.now() - began) / CALIBRATION_CHUNKS / CALIBRATION_PASSES;
    calibrating.stop();
    const passes = Math.max(1, Math.round(chunkMs / passMs));
    const loops = await Promise.all([0, 1].map((core) => PacedLoop.start(core, passes)));
    // Compiled by then.
    await Promise.all(loops.map((loop) => loop.chunk()));
    return new LoopPair(loops);
  }

  /** Chunks per second of both together, each going on as soon as it has done its own. */
  async independent(seconds: number): Promise<number> {
    return await rate(seconds, async (isOver) => {
      const counts = await Promise.all(this.#loops.map((loop) => countUntil(isOver, () => loop.chunk())));
      return counts.reduce((sum, count) => sum + count, 0);
    });
  }

  /** Chunks per second of both together, each waiting for the other after every chunk. */
  async inStep(seconds: number): Promise<number> {
    const both = () => Promise.all(this.#loops.map((loop) => loop.chunk()));
    return await rate(seconds, async (isOver) => (await countUntil(isOver, both)) * this.#loops.length);
  }

  [Symbol.dispose](): void {
    for (const loop of this.#loops) loop.stop();
  }
}

async function rate(seconds: number, run: (isOver: () => boolean) => Promise<number>): Promise<number> {
  const began = performance.now();
  const count = await run(() => performance.now() - began > seconds * 1000);
  return (count * 1000) / (performance.now() - began);
}

async function countUntil(isOver: () => boolean, once: () => Promise<unknown>): Promise<number> {
  let count = 0;
  for (; !isOver(); count++) await once();
  return count;
}

class PacedLoop {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  static async start(core: number, passes: number): Promise<PacedLoop> {
    const args = ["--cpu-list", `${core}`, process.execPath, LOOP, `${passes}`];
    const child = spawn("taskset", args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    await once(child, "message");
    return new PacedLoop(child);
  }

  async chunk(): Promise<void> {
    const done = once(this.#process, "message");
    this.#process.send("go");
    await done;
  }

  stop(): void {
    this.#process.kill("SIGKILL");
  }
}
