import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { rankAddress } from "../../../../worker/rank/rank-address.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const [outward] = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
  (addresses ?? [])
    .filter(({ internal, family }) => !internal && family === "IPv4")
    .map(({ address }) => ({ name, address })),
);

describe("rankAddress", () => {
  it("is the one on the way to rank 0, not the first that leads out", async () => {
    expect(await rankAddress(null, "127.0.0.1")).toBe("127.0.0.1");
  });

  it.skipIf(outward === undefined)("is rank 0's own on its host (needs a network)", async () => {
    expect(await rankAddress(null, outward?.address ?? "")).toBe(outward?.address);
  });

  it.skipIf(outward === undefined)("is the interface's that the user names (needs a network)", async () => {
    expect(await rankAddress(outward?.name ?? "", "127.0.0.1")).toBe(outward?.address);
  });

  it("says what to choose where no way is known", async () => {
    const failure = await failureWithCode("ENDPOINT_UNAVAILABLE", () => rankAddress(null, "not an address"));
    expect(failure).toMatchObject({ endpoint: "not an address", remedy: expect.stringContaining("--interface") });
  });
});
