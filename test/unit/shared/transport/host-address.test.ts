import { describe, expect, it } from "vitest";
import { hostAddress, isIpv6Endpoint, tcpEndpoint } from "../../../../shared/transport/host-address.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const common = { netmask: "", mac: "", cidr: null, internal: false };
const four = { ...common, address: "10.1.2.3", family: "IPv4" } as const;
const six = { ...common, address: "fd00::7", family: "IPv6", scopeid: 0 } as const;

describe("hostAddress", () => {
  it.each([
    ["10.0.0.9", "10.0.0.9"],
    ["0.0.0.0", "0.0.0.0"],
    ["::1", "::1"],
    ["[::1]", "::1"],
    ["localhost", "127.0.0.1"],
    ["eth0", "10.1.2.3"],
    ["eth1", "fd00::7"],
  ])("of %s: %s", async (host, address) => {
    expect(await hostAddress(host, { eth0: [six, four], eth1: [six] })).toBe(address);
  });

  it("says what to do when a name means nothing", async () => {
    const failure = await failureWithCode("ENDPOINT_UNAVAILABLE", () => hostAddress("no-such-host.invalid"));
    expect(failure).toMatchObject({ endpoint: "no-such-host.invalid", remedy: expect.stringContaining("0.0.0.0") });
  });
});

describe("tcpEndpoint", () => {
  it.each([
    ["10.0.0.9", "tcp://10.0.0.9:7", false],
    ["::1", "tcp://[::1]:7", true],
  ])("of %s: %s", (address, endpoint, isIpv6) => {
    expect(tcpEndpoint(address, 7)).toBe(endpoint);
    expect(isIpv6Endpoint(endpoint)).toBe(isIpv6);
  });
});
