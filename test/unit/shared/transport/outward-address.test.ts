import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { isLoopback } from "../../../../shared/transport/is-loopback.js";
import { localAddressTowards } from "../../../../shared/transport/local-address-towards.js";
import { outwardAddress } from "../../../../shared/transport/outward-address.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const of = (address: string, internal: boolean) => [
  { address, internal, family: "IPv4", netmask: "255.0.0.0", mac: "00:00:00:00:00:00", cidr: null } as const,
];
const INTERFACES = { lo: of("127.0.0.1", true), eth0: of("10.0.0.5", false), ib0: of("10.1.0.5", false) };

describe("outwardAddress", () => {
  it("is the first that leads out, or that of the interface", () => {
    expect(outwardAddress(null, INTERFACES)).toBe("10.0.0.5");
    expect(outwardAddress("ib0", INTERFACES)).toBe("10.1.0.5");
  });

  it.each([
    ["ib1", `${hostname()} has no interface ib1`, "lo, eth0, ib0"],
    ["lo", `the address of lo on ${hostname()} is 127.0.0.1`, "--interface eth0"],
  ])("refuses %s by name", async (name, problem, remedy) => {
    const failure = await failureWithCode("USAGE", () => outwardAddress(name, INTERFACES));
    expect(failure).toMatchObject({ option: "--interface", problem: expect.stringContaining(problem) });
    expect(failure.remedy).toContain(remedy);
  });

  it("refuses a host that nobody else reaches", async () => {
    const failure = await failureWithCode("USAGE", () => outwardAddress(null, { lo: INTERFACES.lo }));
    expect(failure.problem).toContain("which no other host reaches");
  });
});

describe("isLoopback", () => {
  it.each([
    ["127.0.0.1", true],
    ["127.0.1.1", true],
    ["::1", true],
    ["10.0.0.1", false],
    ["localhost", false],
  ])("%s: %j", (address, expected) => {
    expect(isLoopback(address)).toBe(expected);
  });
});

describe("localAddressTowards", () => {
  it("is this host's own on the way to itself", async () => {
    expect(await localAddressTowards("127.0.0.1")).toBe("127.0.0.1");
  });
});
