import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { beginSidecar } from "../../../../../worker/mpi/sidecar/sidecar-process.js";
import { failureWithCode } from "../../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";

/**
 * In the place of the compiled program, for ends that no MPI comes to when asked: begins as rank 1 of 3, and at FINALIZE does what the
 * variable AT_END says. Like the program it stays for as long as the pipe is open.
 */
const PROGRAM = `#!${process.execPath}
const fs = require("node:fs");
const [parent, board] = process.argv.slice(2);
const memory = fs.openSync("/proc/" + parent + "/fd/" + board, "r+");
const say = (phase, text) => {
  fs.writeSync(memory, text, 80);
  fs.writeSync(memory, new Uint8Array(Uint32Array.of(1, 3, text.length).buffer), 0, 12, 68);
  fs.writeSync(memory, new Uint8Array(Uint32Array.of(phase).buffer), 0, 4, 64);
};
const commands = new (require("node:net").Socket)({ fd: 3, readable: true, writable: false });
commands.on("end", () => process.exit(1));
commands.on("data", (bytes) => {
  if (bytes.readUInt32LE(0) !== 8) throw new Error("another command");
  if (process.env.AT_END === "fail") say(2, "MPI_Finalize: it can't say what");
  else process.exit(Number(process.env.AT_END));
});
say(1, "MPI of a test, 1");
`;

async function begin(atEnd: string) {
  const program = join(await temporaryDirectory(), "sidecar.cjs");
  await writeFile(program, PROGRAM);
  await chmod(program, 0o755);
  const begun = await beginSidecar(program, { ...process.env, AT_END: atEnd });
  expect(begun.mpi).toMatchObject({ rank: 1, size: 3, version: "MPI of a test" });
  return begun;
}

describe.skipIf(process.platform !== "linux")("the end of a sidecar", () => {
  it("is that of MPI, when all is well", async () => {
    const { mpi } = await begin("0");
    await mpi.finalize();
  });

  it("is not waited for where MPI can't end", async () => {
    const { mpi, place } = await begin("fail");
    onTestFinished(() => void process.kill(place.pid));
    const failure = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => mpi.finalize());
    expect(failure.problem).toContain("MPI_Finalize: it can't say what");
  });

  it("before MPI's is the rank's death", async () => {
    const { mpi } = await begin("3");
    const failure = await failureWithCode("WORKER_DIED", () => mpi.finalize());
    expect(failure.how).toMatch(/has ended with exit code 3$/);
  });
});
