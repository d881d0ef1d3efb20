import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { reachableUrl } from "../../../../shared/transport/reachable-url.js";

const address = {
  address: "10.1.2.3",
  netmask: "255.0.0.0",
  mac: "",
  cidr: null,
  family: "IPv4",
  internal: false,
} satisfies NetworkInterfaceInfo;

describe("reachableUrl", () => {
  it.each([
    ["tcp://0.0.0.0:7070", "tcp://10.1.2.3:7070"],
    ["tcp://[::]:7070", "tcp://10.1.2.3:7070"],
    ["http://[::]:8080", "http://10.1.2.3:8080"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["tcp://[::1]:7070", "tcp://[::1]:7070"],
    ["tcp://10.0.0.0:7070", "tcp://10.0.0.0:7070"],
    ["ipc:///tmp/control", "ipc:///tmp/control"],
  ])("%s: %s", (listening, told) => {
    expect(reachableUrl(listening, { eth0: [address] })).toBe(told);
  });
});
