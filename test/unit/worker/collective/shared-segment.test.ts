import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { createSegment, openSegment, sharedMemoryProblem } from "../../../../worker/collective/shared-segment.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const openFiles = () => readdirSync("/proc/self/fd").length;

describe.skipIf(process.platform !== "linux")("shared segments (need Linux)", () => {
  it("what one writes the other reads, aligned and zeroed at first", () => {
    using own = createSegment(1000);
    using other = openSegment(own.place);
    expect(own.bytes.byteLength).toBe(1000);
    expect(own.bytes.byteOffset % 64).toBe(0);
    expect(other.bytes.every((byte) => byte === 0)).toBe(true);
    own.bytes[999] = 7;
    other.bytes[0] = 9;
    expect([other.bytes[999], own.bytes[0]]).toEqual([7, 9]);
    expect(sharedMemoryProblem()).toBeNull();
  });

  it("is refused when it is another one than was meant, or not there", async () => {
    using own = createSegment(64);
    const key = "0".repeat(64);
    const stranger = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => openSegment({ ...own.place, key }));
    expect(stranger).toMatchObject({ collective: "shm", problem: expect.stringContaining("another host") });
    const { place } = own;
    const path = "/proc/self/fd/100000";
    const gone = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => openSegment({ ...place, path }));
    expect(gone.problem).toContain(path);
    expect(gone.remedy).toContain("--collective ring");
  });

  it("is refused when something stands in its place that can't be read like memory", async () => {
    using own = createSegment(64);
    const path = join(await temporaryDirectory(), "pipe");
    expect(spawnSync("mkfifo", [path]).status).toBe(0);
    const failure = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => openSegment({ ...own.place, path }));
    expect(failure.problem).toContain("another container");
  });

  it("a process that can't have any says why", () => {
    const refused = sharedMemoryProblem(() => createSegment(2 ** 52));
    expect(refused).toMatch(/^4294967296\.0 MiB of shared memory are needed, and .* are free$/);
    const strange = sharedMemoryProblem((sizeBytes) => ({
      ...createSegment(sizeBytes),
      bytes: new Uint8Array(sizeBytes),
    }));
    expect(strange).toContain("does not appear at the other");
  });

  it("more than the machine has is refused at once, by its size", async () => {
    const failure = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => createSegment(2 ** 52));
    expect(failure.problem).toMatch(/^4294967296\.0 MiB of shared memory are needed, and .* are free$/);
  });

  it("leaves no open files behind", () => {
    const before = openFiles();
    for (let count = 0; count < 20; count++) {
      using own = createSegment(4096);
      using other = openSegment(own.place);
      other.bytes[0] = count;
    }
    expect(openFiles()).toBe(before);
  });
});
