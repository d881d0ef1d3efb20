import { describe, expect, it } from "vitest";
import { toErrorAnswer } from "../../../../coordinator/http/error-answer.js";
import { HttpRefusal } from "../../../../coordinator/http/http-refusal.js";
import { type Failure, RingstrasseError } from "../../../../shared/failure.js";

const place = { file: null, line: 7, column: 3, elementPath: "/vinnsl/definition" };
const told = { problem: "it is wrong", remedy: "Mend it" };

describe("toErrorAnswer", () => {
  it.each<[number, Failure]>([
    [400, { code: "USAGE", option: "limit", ...told }],
    [400, { code: "DOCUMENT_INVALID", ...place, ...told }],
    [400, { code: "DOCUMENT_UNSUPPORTED", ...place, problem: "it is wrong", supported: ["this"] }],
    [400, { code: "DATA_INVALID", file: "iris.txt", row: 1, column: 2, ...told }],
    [400, { code: "CHOICE_UNSUPPORTED", option: "--engine", value: "x", supported: [], remedy: "Mend it" }],
    [400, { code: "COLLECTIVE_UNAVAILABLE", collective: "mpi", ...told }],
    [404, { code: "NOT_FOUND", what: "job", id: "1", remedy: "Look" }],
    [409, { code: "CONFLICT", what: "job", id: "1", ...told }],
    [413, { code: "QUOTA_EXCEEDED", quota: "file", limitBytes: 1, ...told }],
    [413, { code: "QUOTA_EXCEEDED", quota: "document", limitBytes: 1, ...told }],
    [507, { code: "QUOTA_EXCEEDED", quota: "files", limitBytes: 1, ...told }],
    [503, { code: "STORE_UNAVAILABLE", path: "/secret/store.db", ...told }],
  ])("answers %i with the failure's own words", (status, failure) => {
    const answer = toErrorAnswer(new RingstrasseError(failure), "req-1");
    expect(answer.status).toBe(status);
    expect(answer.body.error.code).toBe(failure.code);
    expect(answer.body.error.message).not.toContain("/secret");
  });

  it("tells where in a document", () => {
    const { body } = toErrorAnswer(new RingstrasseError({ code: "DOCUMENT_INVALID", ...place, ...told }), "req-1");
    expect(body.error).toMatchObject({ path: "/vinnsl/definition", line: 7 });
    expect(body.error.message).toBe("/vinnsl/definition: it is wrong. Mend it");
  });

  it.each([
    new RingstrasseError({ code: "STORE_DAMAGED", path: "/secret/files/ab", ...told }),
    new RingstrasseError({ code: "INTERNAL", problem: "/secret at line 1" }),
    new TypeError("/secret is not a function"),
    Object.assign(new Error("/secret"), { statusCode: 500 }),
    "/secret",
    undefined,
  ])("keeps to itself what the server is to blame for", (thrown) => {
    const { status, body } = toErrorAnswer(thrown, "req-17");
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("/secret");
    expect(body.error.message).toContain("req-17");
  });

  it("answers a refusal with its status and headers", () => {
    const headers = { allow: "GET" };
    const refusal = new HttpRefusal({ status: 405, code: "METHOD_NOT_ALLOWED", ...told, headers });
    expect(toErrorAnswer(refusal, "req-1")).toEqual({
      status: 405,
      headers,
      body: { error: { code: "METHOD_NOT_ALLOWED", message: "it is wrong. Mend it", path: null, line: null } },
    });
  });

  it("answers the HTTP library's own errors with their status", () => {
    const { status, body } = toErrorAnswer(Object.assign(new Error("too much."), { statusCode: 413 }), "req-1");
    expect([status, body.error.code, body.error.message]).toEqual([413, "PAYLOAD_TOO_LARGE", "too much"]);
  });
});
