import { describe, expect, it } from "vitest";
import { checkAddress, type RequestAddress } from "../../../../../coordinator/http/access/address-guard.js";
import { refusalOf } from "../refusal-of.js";

const OPEN = { tokens: { read: null, write: null }, publicOrigin: null };

function address(parts: Partial<RequestAddress>): RequestAddress {
  return { method: "GET", host: "localhost:8080", origin: undefined, localAddress: "127.0.0.1", ...parts };
}

describe("checkAddress", () => {
  it.each(["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"])(
    "answers under %s",
    (host) => {
      expect(() => checkAddress(address({ host }), OPEN)).not.toThrow();
    },
  );

  it.each([
    ["192.168.7.4:8080", "192.168.7.4"],
    ["192.168.7.4:8080", "::ffff:192.168.7.4"],
    ["[fe80::1]:8080", "fe80::1%eth0"],
  ])("answers under the address %s that the request came to (%s)", (host, localAddress) => {
    expect(() => checkAddress(address({ host, localAddress }), OPEN)).not.toThrow();
  });

  it.each([
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "192.168.7.4",
    "",
    "local host",
    "evil@127.0.0.1",
    "127.0.0.1/evil",
    undefined,
  ])("refuses the foreign name %j: it may have been made to point here", (host) => {
    const refusal = refusalOf(() => checkAddress(address({ host }), OPEN));
    expect(refusal.refusal).toMatchObject({ status: 403, code: "FORBIDDEN" });
    expect(refusal.message).toContain("start it with a token");
  });

  it("refuses writes from pages of other origins, not reads", () => {
    for (const origin of ["http://evil.example", "null", "http://localhost:9999", "nonsense"]) {
      const refusal = refusalOf(() => checkAddress(address({ method: "POST", origin }), OPEN));
      expect(refusal.message).toContain(JSON.stringify(origin));
      expect(() => checkAddress(address({ method: "GET", origin }), OPEN)).not.toThrow();
    }
    for (const origin of ["http://localhost:8080", "https://localhost:8080", undefined]) {
      expect(() => checkAddress(address({ method: "DELETE", origin }), OPEN)).not.toThrow();
    }
  });

  it("knows the origin that the server is known by", () => {
    const behind = { ...OPEN, publicOrigin: "https://ring.example" };
    const request = address({ host: "ring.example", method: "PUT", origin: "https://ring.example" });
    expect(() => checkAddress(request, behind)).not.toThrow();
    expect(refusalOf(() => checkAddress(request, OPEN)).refusal.status).toBe(403);
  });

  it("leaves a server with a token to its token", () => {
    const request = address({ host: "evil.example", method: "POST", origin: "http://evil.example" });
    expect(() => checkAddress(request, { ...OPEN, tokens: { read: null, write: "secret" } })).not.toThrow();
  });
});
