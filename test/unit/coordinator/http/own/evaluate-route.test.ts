import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import type { RowsToJudgeBy } from "../../../../../coordinator/service/job-evaluations.js";
import type { Evaluation } from "../../../../../shared/api/evaluation.js";
import { type Deferred, deferred } from "../../../../../shared/deferred.js";
import { openHttpApp } from "../open-http-app.js";

const ID = "0".repeat(24);
const EVALUATION: Evaluation = {
  rows: 2,
  loss: null,
  accuracy: 0.5,
  meanAbsoluteError: null,
  confusion: { classNames: ["a"], counts: [[1]] },
  weightsSha256: "a".repeat(64),
  engine: "wasm",
};

interface Asked {
  readonly rows: RowsToJudgeBy;
  readonly signal: AbortSignal;
  readonly answer: Deferred<Evaluation>;
}

/** The app over a service that says of models what the test says; an aborted one is refused with its signal's reason. */
async function listening() {
  const { app, service } = await openHttpApp();
  const asked: Asked[] = [];
  service.evaluate = (_id, rows, signal) => {
    const answer = deferred<Evaluation>();
    signal.addEventListener("abort", () => answer.reject(signal.reason));
    asked.push({ rows, signal, answer });
    return answer.promise;
  };
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const ask = (query = "", body?: string, type = "application/json") =>
    fetch(`${origin}/vinnsl/${ID}/evaluate${query}`, {
      method: "POST",
      ...(body === undefined ? {} : { body, headers: { "content-type": type } }),
    });
  const nth = async (index: number): Promise<Asked> => {
    await expect.poll(() => asked.length, { timeout: 10_000 }).toBeGreaterThan(index);
    return asked[index] as Asked;
  };
  return { app, origin, ask, asked, nth };
}

async function codeOf(response: Response): Promise<[number, string, string]> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return [response.status, error.code, error.message];
}

describe("POST /vinnsl/{id}/evaluate", () => {
  it("takes ids from query or body, or none, and answers with the figures", async () => {
    const { ask, asked, nth } = await listening();
    const answers = [
      ["?fileId=f&labelsFileId=l", undefined, { fileId: "f", labelsFileId: "l" }],
      ["", '{"fileId":"f"}', { fileId: "f" }],
      ["?fileId=f", '{"fileId":"f","labelsFileId":"l"}', { fileId: "f", labelsFileId: "l" }],
      ["", undefined, {}],
      ["", "{}", {}],
    ] as const;
    for (const [index, [query, body, rows]] of answers.entries()) {
      const answering = ask(query, body);
      const { answer } = await nth(index);
      answer.resolve(EVALUATION);
      const response = await answering;
      expect([response.status, await response.json()]).toEqual([200, EVALUATION]);
      expect(asked[index]?.rows).toEqual(rows);
    }
  });

  it.each([
    ["?fileId=f", '{"fileId":"g"}', 400, /fileId is "f" in the query and "g" in the body/],
    ["?file=f", undefined, 400, /query/],
    ["", '{"fileid":"g"}', 400, /the body is not as it must be.*fileid/i],
    ["", '{"fileId":7}', 400, /the body's fileId/],
    ["", "null", 400, /the body is not/],
    ["", "{", 400, /not JSON/],
  ])("refuses %s %s", async (query, body, status, message) => {
    const { ask, asked } = await listening();
    const refused = await codeOf(await ask(query, body));
    expect(refused).toEqual([status, expect.any(String), expect.stringMatching(message)]);
    expect(asked).toEqual([]);
  });

  it("refuses a body that is too large", async () => {
    const { ask } = await listening();
    expect((await ask("", "x".repeat(70_000))).status).toBe(413);
  });

  it("refuses bodies that are no JSON by their type", async () => {
    const { ask } = await listening();
    expect(await codeOf(await ask("", "<fileId/>", "application/xml"))).toEqual([
      415,
      "UNSUPPORTED_MEDIA_TYPE",
      expect.stringContaining("Send application/json"),
    ]);
  });

  it("judges two at once, refuses a third for the moment, and takes it when one has ended", async () => {
    const { ask, nth } = await listening();
    const [first, second] = [ask(), ask()];
    const { answer } = await nth(0);
    await nth(1);
    const third = await ask();
    expect(third.headers.get("retry-after")).toBe("5");
    expect(await codeOf(third)).toEqual([503, "TOO_MANY_EVALUATIONS", expect.stringContaining("Come back later")]);
    answer.resolve(EVALUATION);
    (await nth(1)).answer.resolve(EVALUATION);
    expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200]);
    const again = ask();
    (await nth(2)).answer.resolve(EVALUATION);
    expect((await again).status).toBe(200);
  });

  it("ends when its client goes", async () => {
    const { origin, nth } = await listening();
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    socket.write(`POST /vinnsl/${ID}/evaluate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n`);
    const { signal } = await nth(0);
    expect(signal.aborted).toBe(false);
    socket.destroy();
    await expect.poll(() => signal.aborted, { timeout: 10_000 }).toBe(true);
  });

  it("ends when the server does, and says so", async () => {
    const { app, ask, nth } = await listening();
    const answering = ask();
    await nth(0);
    const closed = app.close();
    expect(await codeOf(await answering)).toEqual([503, "INTERRUPTED", "interrupted by the end of the server"]);
    await closed;
  });

  it("is described, with all its codes", async () => {
    const { app } = await listening();
    const document = app.swagger() as unknown as {
      paths: Record<string, { post: { responses: object; requestBody: object } }>;
    };
    const { responses, requestBody } = document.paths["/vinnsl/{id}/evaluate"]?.post ?? {};
    expect(Object.keys(responses ?? {})).toEqual(
      expect.arrayContaining(["200", "400", "403", "404", "408", "409", "413", "415", "500", "503"]),
    );
    expect(JSON.stringify(requestBody)).toContain("labelsFileId");
  });
});
