import { describe, expect, it } from "vitest";
import { type AccessOptions, serveAccess } from "../../../../coordinator/serve/serve-access.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const NOTHING: AccessOptions = { host: "127.0.0.1", token: undefined, readToken: undefined, insecure: false };

describe("serveAccess", () => {
  it.each(["127.0.0.1", "127.8.8.8", "localhost", "::1"])(
    "needs no token at %s; workers get one of their own",
    (host) => {
      const [first, second] = [serveAccess({ ...NOTHING, host }), serveAccess({ ...NOTHING, host })];
      expect(first).toMatchObject({ read: null, write: null, isOpenToAll: false });
      expect(first.workers).toMatch(/^[0-9a-f]{48}$/);
      expect(first.workers).not.toBe(second.workers);
    },
  );

  it.each(["0.0.0.0", "::", "10.0.0.1", "example.org", "127.evil.example", "localhost.example"])(
    "refuses %s without a token, and says what to do",
    async (host) => {
      const failure = await failureWithCode("USAGE", () => serveAccess({ ...NOTHING, host }));
      expect(failure).toMatchObject({ option: "--host" });
      expect(failure.problem).toContain(host);
      expect(failure.remedy).toContain("RINGSTRASSE_TOKEN");
    },
  );

  it("with --insecure everybody may do everything, and that is said", () => {
    expect(serveAccess({ ...NOTHING, host: "0.0.0.0", insecure: true })).toMatchObject({
      write: null,
      isOpenToAll: true,
    });
  });

  it("one token serves clients and workers; a second one lets people look", () => {
    const open = { ...NOTHING, host: "0.0.0.0", token: "a-write-token" };
    expect(serveAccess(open)).toEqual({
      read: "a-write-token",
      write: "a-write-token",
      workers: "a-write-token",
      isOpenToAll: false,
    });
    expect(serveAccess({ ...open, readToken: "a-read-token" })).toMatchObject({
      read: "a-read-token",
      write: "a-write-token",
    });
  });

  it("refuses what contradicts itself", async () => {
    const readOnly = await failureWithCode("USAGE", () => serveAccess({ ...NOTHING, readToken: "a-read-token" }));
    expect(readOnly).toMatchObject({ option: "--read-token", remedy: "Give --token too" });
    const same = { ...NOTHING, token: "a-write-token", readToken: "a-write-token" };
    expect(await failureWithCode("USAGE", () => serveAccess(same))).toMatchObject({
      option: "--read-token",
      problem: expect.stringContaining("the same as --token"),
    });
    const both = { ...NOTHING, token: "a-write-token", insecure: true };
    expect(await failureWithCode("USAGE", () => serveAccess(both))).toMatchObject({ option: "--insecure" });
  });
});
