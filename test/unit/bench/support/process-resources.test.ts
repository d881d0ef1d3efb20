import { open, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { platform } from "node:os";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { sampleResources, sharedFilesOf } from "../../../../bench/support/process-resources.js";
import { createSegment } from "../../../../worker/collective/shared-segment.js";

const NO_SUCH_PROCESS = 2 ** 22 + 1;

describe.skipIf(platform() !== "linux")("sampleResources (needs Linux's /proc)", () => {
  it("counts what this process has open", async () => {
    const before = await sampleResources(process.pid);
    const segment = createSegment(1 << 16);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const during = await sampleResources(process.pid);
    segment[Symbol.dispose]();
    await new Promise((resolve) => server.close(resolve));
    const after = await sampleResources(process.pid);
    if (before === null || during === null) throw new Error("this process is there");
    expect(during.sockets - before.sockets).toBe(1);
    expect(during.sharedFiles - before.sharedFiles).toBe(1);
    expect(during.sharedMappings - before.sharedMappings).toBe(1);
    expect(after).toMatchObject({ sockets: before.sockets, sharedFiles: before.sharedFiles });
  });

  it("tells when a process is gone", async () => {
    expect(await sampleResources(NO_SUCH_PROCESS)).toBeNull();
  });
});

describe.skipIf(platform() !== "linux")("sharedFilesOf (needs Linux's /proc)", () => {
  it("names the files of /dev/shm that a process has, and not those of others", async () => {
    const name = `ringstrasse-test-${process.pid}`;
    const file = await open(`/dev/shm/${name}`, "w");
    onTestFinished(() => rm(`/dev/shm/${name}`, { force: true }));
    expect(await sharedFilesOf(process.pid)).toContain(name);
    await rm(`/dev/shm/${name}`);
    expect(await sharedFilesOf(process.pid)).toContain(name);
    await file.close();
    expect(await sharedFilesOf(process.pid)).not.toContain(name);
    expect(await sharedFilesOf(NO_SUCH_PROCESS)).toEqual([]);
  });
});
