import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readBody } from "../../../../../coordinator/http/bodies/read-body.js";

const LIMITS = { bodyBytes: 10, bodyTimeoutMs: 1000 };

describe("readBody", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  it("gives the whole body", async () => {
    const body = new PassThrough();
    const read = readBody(body, LIMITS);
    body.write("12345");
    body.end("67890");
    expect((await read).toString()).toBe("1234567890");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("refuses one byte too many, and drops what still comes", async () => {
    const body = new PassThrough({ highWaterMark: 4 });
    const read = expect(readBody(body, LIMITS)).rejects.toMatchObject({ refusal: { status: 413 } });
    body.write("12345678901");
    await read;
    expect(body.write("x".repeat(100_000))).toBeTypeOf("boolean");
    await new Promise((resolve) => body.end(resolve));
    expect(body.readableFlowing).toBe(true);
  });

  it("refuses a body that comes too slowly", async () => {
    const body = new PassThrough();
    const read = expect(readBody(body, LIMITS)).rejects.toMatchObject({
      refusal: { status: 408, problem: "the body has not arrived within 1000 ms", headers: { connection: "close" } },
    });
    body.write("1");
    vi.advanceTimersByTime(1000);
    await read;
  });

  it("names a connection that breaks", async () => {
    const body = new PassThrough();
    const read = expect(readBody(body, LIMITS)).rejects.toMatchObject({ refusal: { status: 400 } });
    body.destroy();
    await read;
  });
});
