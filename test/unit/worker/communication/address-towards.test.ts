import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { addressTowards } from "../../../../worker/communication/address-towards.js";

const [outward] = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ internal, family }) => !internal && family === "IPv4");

describe("addressTowards", () => {
  it.each([
    ["tcp://127.0.0.1:7000", "127.0.0.1"],
    ["tcp://localhost:7000", "127.0.0.1"],
    ["tcp://[::1]:7000", "[::1]"],
    ["ipc:///tmp/socket", "127.0.0.1"],
  ])("%s: %s", async (endpoint, expected) => {
    expect(await addressTowards(endpoint)).toBe(expected);
  });

  it.skipIf(outward === undefined)(
    "is the address that others use on the way to one of them (needs a network)",
    async () => {
      expect(await addressTowards(`tcp://${outward?.address}:7000`)).toBe(outward?.address);
    },
  );

  it("says what to do when a name means nothing", async () => {
    await expect(addressTowards("tcp://no-such-host.invalid:7000")).rejects.toMatchObject({
      failure: { code: "ENDPOINT_UNAVAILABLE", remedy: expect.stringContaining("--address") },
    });
  });
});
