import { describe, expect, it } from "vitest";
import { ringAddress } from "../../../../shared/transport/ring-address.js";

const common = { netmask: "", mac: "", cidr: null };
const loopback = { ...common, address: "127.0.0.1", family: "IPv4", internal: true } as const;
const outward = { ...common, address: "10.1.2.3", family: "IPv4", internal: false } as const;

describe("ringAddress", () => {
  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["10.9.9.9", "10.9.9.9"],
    ["node7.example", "node7.example"],
    ["::1", "[::1]"],
    ["0.0.0.0", "10.1.2.3"],
    ["::", "10.1.2.3"],
  ])("of a server at %s: %s", (host, address) => {
    expect(ringAddress(host, { lo: [loopback], eth0: [outward] })).toBe(address);
  });

  it("of a host without a way out: itself", () => {
    expect(ringAddress("0.0.0.0", { lo: [loopback] })).toBe("127.0.0.1");
  });
});
