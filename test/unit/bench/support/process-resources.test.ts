import { createServer } from "node:net";
import { platform } from "node:os";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { sampleResources } from "../../../../bench/support/process-resources.js";
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
