import { readSync } from "node:fs";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { linuxCalls } from "../../../../../worker/collective/linux-calls.js";
import { CommandPipe } from "../../../../../worker/mpi/sidecar/command-pipe.js";
import { COMMAND_BYTES, encodeCommand, OPERATION } from "../../../../../worker/mpi/sidecar/sidecar-protocol.js";

const CLOEXEC_NONBLOCK = 0o2004000;
const COUNT = 2500;

/** The ends of a pipe: where commands are read, and where they are written. */
function pipe() {
  const calls = linuxCalls();
  const fds = new Int32Array(2);
  expect(calls.pipe2(fds, CLOEXEC_NONBLOCK)).toBe(0);
  const [read = -1, write = -1] = fds;
  const open = new Set([read, write]);
  const close = (fd: number): void => {
    if (open.delete(fd)) calls.close(fd);
  };
  onTestFinished(() => [read, write].forEach(close));
  return { read, write, close };
}

describe.skipIf(process.platform !== "linux")("CommandPipe (needs Linux)", () => {
  it("writes whole commands in their order, and never waits for a pipe that is full", () => {
    const { read, write } = pipe();
    const commands = new CommandPipe(write);
    for (let tag = 0; tag < COUNT; tag++) commands.write({ operation: OPERATION.send, tag });
    const into = Buffer.alloc(COMMAND_BYTES);
    for (let tag = 0; tag < COUNT; tag++) {
      expect(readSync(read, into)).toBe(COMMAND_BYTES);
      expect(new Int32Array(into.buffer, into.byteOffset, 3)[2]).toBe(tag);
      commands.flush();
    }
  });

  it("says nothing to nobody", () => {
    const { read, write, close } = pipe();
    const commands = new CommandPipe(write);
    close(read);
    commands.write({ operation: OPERATION.finalize });
    commands.flush();
  });
});

describe("encodeCommand", () => {
  it("lays a command out as C does", () => {
    const command = {
      operation: OPERATION.receive,
      peer: 3,
      tag: 32_000,
      segment: 21,
      offset: 2 ** 33 + 64,
      length: 7,
    };
    const bytes = encodeCommand(command);
    expect(bytes.byteLength).toBe(COMMAND_BYTES);
    expect([...new Int32Array(bytes.buffer, 0, 4)]).toEqual([3, 3, 32_000, 21]);
    expect([...new BigUint64Array(bytes.buffer, 16)]).toEqual([2n ** 33n + 64n, 7n]);
  });
});
