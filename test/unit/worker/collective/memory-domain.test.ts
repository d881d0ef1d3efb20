import { describe, expect, it } from "vitest";
import { type DomainSources, memorySharing } from "../../../../worker/collective/memory-domain.js";

const HERE: DomainSources = {
  readText: () => "boot-1",
  readLink: (path) => `${path.split("/").at(-1)}:[1]`,
  sharingProblem: () => null,
};

describe("memorySharing", () => {
  it("gives every process of this host and user the same domain", () => {
    const first = memorySharing();
    expect(first).toEqual(memorySharing());
    expect(first.domain).toMatch(/^[0-9a-f-]{36} pid:\[\d+\] mnt:\[\d+\] user:\[\d+\] uid:\d+$/);
  });

  it.each<[string, Partial<DomainSources>]>([
    ["another machine, or this one started anew", { readText: () => "boot-2" }],
    ["a container with processes of its own", { readLink: (path) => `${path.split("/").at(-1)}:[2]` }],
    ["a tree of files of its own", { readLink: (path) => (path.endsWith("mnt") ? "mnt:[2]" : HERE.readLink(path)) }],
  ])("tells %s from here", (_, difference) => {
    const [here, there] = [memorySharing(HERE), memorySharing({ ...HERE, ...difference })];
    expect(there.problem).toBeNull();
    expect(there.domain).not.toBe(here.domain);
  });

  it("says why memory can't be shared, and with whom can't be told", () => {
    expect(memorySharing({ ...HERE, sharingProblem: () => "no memfd_create" })).toEqual({
      domain: null,
      problem: "no memfd_create",
    });
    const hidden = () => {
      throw new Error("EACCES: /proc");
    };
    expect(memorySharing({ ...HERE, readLink: hidden })).toEqual({
      domain: null,
      problem: "the host can't be told from others (Error: EACCES: /proc)",
    });
  });
});
