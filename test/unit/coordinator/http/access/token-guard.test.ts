import { describe, expect, it } from "vitest";
import { type Access, checkToken } from "../../../../../coordinator/http/access/token-guard.js";
import type { HttpTokens } from "../../../../../coordinator/http/http-app.js";
import { refusalOf } from "../refusal-of.js";

const BOTH: HttpTokens = { read: "reader", write: "writer" };

describe("checkToken", () => {
  it.each<[Access, string | undefined, HttpTokens]>([
    ["write", undefined, { read: null, write: null }],
    ["public", undefined, BOTH],
    ["public", "Bearer wrong", BOTH],
    ["read", "Bearer reader", BOTH],
    ["read", "Bearer writer", BOTH],
    ["write", "Bearer writer", BOTH],
    ["write", "bearer  writer ", BOTH],
    ["read", "Bearer writer", { read: null, write: "writer" }],
  ])("lets %s with %j through", (access, authorization, tokens) => {
    expect(() => checkToken(access, authorization, tokens)).not.toThrow();
  });

  it.each<[Access, string | undefined, HttpTokens]>([
    ["read", undefined, BOTH],
    ["read", undefined, { read: null, write: "writer" }],
    ["write", undefined, { read: "reader", write: null }],
    ["read", "Bearer", BOTH],
    ["read", "Bearer wrong", BOTH],
    ["read", "Bearer reader2", BOTH],
    ["read", "Basic reader", BOTH],
    ["read", "reader", BOTH],
    ["read", "Bearer null", { read: null, write: "writer" }],
    ["write", "Bearer writer extra", BOTH],
  ])("refuses %s with %j by 401", (access, authorization, tokens) => {
    const { refusal } = refusalOf(() => checkToken(access, authorization, tokens));
    expect(refusal).toMatchObject({ status: 401, code: "UNAUTHORISED" });
    expect(refusal.headers?.["www-authenticate"]).toMatch(/^Bearer realm="ringstrasse"/);
    expect(refusal.remedy).toContain("Bearer TOKEN");
  });

  it("refuses to write with the token for reading by 403, and says which it takes", () => {
    const { refusal } = refusalOf(() => checkToken("write", "Bearer reader", BOTH));
    expect(refusal).toMatchObject({ status: 403, code: "FORBIDDEN", remedy: "Use the token for writing" });
    const readOnly = refusalOf(() => checkToken("write", "Bearer reader", { read: "reader", write: null }));
    expect(readOnly.refusal.remedy).toBe("This server can't be written to");
  });
});
