import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, it } from "vitest";
import type { HttpApp } from "../../../../../coordinator/http/http-app.js";
import { irisDocument, JSON_TYPE, XML } from "../documents.js";
import { multipartForm } from "../multipart-form.js";
import { openHttpApp } from "../open-http-app.js";

const NOBODY = "5ab91658e8cc45946600ea11";
const IRIS = new URL("../../../../../examples/iris/iris.csv", import.meta.url);
let app: HttpApp;
let id: string;

beforeEach(async () => {
  ({ app } = await openHttpApp());
  const form = await multipartForm({ file: new File([await readFile(IRIS)], "iris.csv") });
  const { file } = (await app.inject({ method: "POST", url: "/storage", ...form })).json();
  const post = await app.inject({ method: "POST", url: "/vinnsl", headers: XML, payload: await irisDocument() });
  id = String(post.headers.location).split("/").at(-1) ?? "";
  await app.inject({ method: "PUT", url: `/vinnsl/${id}/addfile?fileId=${file}` });
});

async function put(url: string, more: { headers?: Record<string, string>; payload?: string } = {}) {
  return await app.inject({ method: "PUT", url, ...more });
}

describe("/status", () => {
  it("tells that of every job, and of the one that was asked for", async () => {
    const post = await app.inject({ method: "POST", url: "/vinnsl", headers: XML, payload: await irisDocument() });
    const second = String(post.headers.location).split("/").at(-1) ?? "";
    await put(`/status/${second}/QUEUED`.replace(second, id));
    expect((await app.inject({ url: "/status/" })).json()).toEqual({ [id]: "QUEUED", [second]: "CREATED" });
    expect((await app.inject({ url: `/status/${id}` })).json()).toEqual({ [id]: "QUEUED" });
    expect((await app.inject({ url: `/status/${second}` })).json()).toEqual({ [second]: "CREATED" });
  });

  it("moves a job, also with a body that says nothing", async () => {
    const answer = await put(`/status/${id}/QUEUED`, { headers: JSON_TYPE, payload: "null" });
    expect([answer.statusCode, answer.json()]).toEqual([200, { [id]: "QUEUED" }]);
    expect((await app.inject({ url: "/worker/queue" })).json()).toEqual([id]);
  });

  it("refuses forbidden moves by 409, says what is allowed, and changes nothing", async () => {
    for (const status of ["FINISHED", "CREATED"]) {
      const answer = await put(`/status/${id}/${status}`);
      expect([answer.statusCode, answer.json().error.code]).toEqual([409, "CONFLICT"]);
      expect(answer.json().error.message).toContain(id);
      expect(answer.json().error.message).toContain("QUEUED");
    }
    expect((await app.inject({ url: `/status/${id}` })).json()).toEqual({ [id]: "CREATED" });
  });

  it("keeps the beginning of a long message rather than refuse it", async () => {
    await put(`/status/${id}/INPROGRESS`);
    const answer = await put(
      `/status/${id}/ERROR?${new URLSearchParams({ message: `it broke ${"🎡".repeat(1000)}` })}`,
    );
    expect([answer.statusCode, answer.json()]).toEqual([200, { [id]: "ERROR" }]);
    const { message } = (await app.inject({ url: `/cluster/jobs/${id}` })).json().job.statusReason;
    expect(message).toBe(`it broke ${"🎡".repeat(245)}…`);
  });

  it("refuses words that are no status by 400, and jobs that there are not by 404", async () => {
    const wrong = await put(`/status/${id}/queued`);
    expect([wrong.statusCode, wrong.json().error.message]).toEqual([400, expect.stringContaining('"QUEUED"')]);
    expect((await put(`/status/${NOBODY}/QUEUED`)).statusCode).toBe(404);
    expect((await app.inject({ url: `/status/${NOBODY}` })).statusCode).toBe(404);
  });
});

describe("/worker/queue", () => {
  it("takes a job once", async () => {
    const first = await put(`/worker/queue/${id}?priority=3`);
    expect([first.statusCode, first.json()]).toEqual([200, [id]]);
    const again = await put(`/worker/queue/${id}`);
    expect([again.statusCode, again.json().error.code]).toEqual([409, "CONFLICT"]);
    expect((await app.inject({ url: "/worker/queue" })).json()).toEqual([id]);
  });

  it("refuses what can't be: unknown jobs, wrong priorities, bodies without end", async () => {
    expect((await put(`/worker/queue/${NOBODY}`)).statusCode).toBe(404);
    expect((await put(`/worker/queue/${id}?priority=high`)).statusCode).toBe(400);
    expect((await put(`/worker/queue/${id}`, { headers: JSON_TYPE, payload: "x".repeat(70_000) })).statusCode).toBe(
      413,
    );
    expect((await app.inject({ url: "/worker/queue" })).json()).toEqual([]);
  });
});

describe("/dl4j", () => {
  it("derives the network from the definition", async () => {
    const answer = await app.inject({ url: `/dl4j/${id}` });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "application/json; charset=utf-8"]);
    expect(answer.json().confs).toHaveLength(3);
    expect(JSON.parse(String(answer.headers["x-dl4j-differences"] ?? "[]"))).toBeInstanceOf(Array);
  });

  it("keeps what somebody stores, under any of the names for JSON", async () => {
    for (const type of ["application/json", "text/plain;charset=ISO-8859-1"]) {
      const payload = JSON.stringify({ own: type });
      const answer = await put(`/dl4j/${id}`, { headers: { "content-type": type }, payload });
      expect([answer.statusCode, answer.body]).toEqual([200, payload]);
      expect((await app.inject({ url: `/dl4j/${id}` })).body).toBe(payload);
      const { nncloud } = (await app.inject({ url: `/vinnsl/${id}` })).json();
      expect(nncloud).toEqual({ status: "CREATED", dl4jNetwork: payload });
    }
  });

  it.each([
    ["[]", "application/json", 400],
    ["{", "application/json", 400],
    ["", "application/json", 400],
    ["<a/>", "application/xml", 415],
    [`{"a":"${"x".repeat(2 ** 21)}"}`, "application/json", 413],
  ])("refuses %.5s as %s by %i", async (payload, type, status) => {
    const answer = await put(`/dl4j/${id}`, { headers: { "content-type": type }, payload });
    expect(answer.statusCode).toBe(status);
    expect((await app.inject({ url: `/dl4j/${id}` })).json()).toHaveProperty("confs");
  });

  it("knows no other jobs", async () => {
    expect((await app.inject({ url: `/dl4j/${NOBODY}` })).statusCode).toBe(404);
    expect((await put(`/dl4j/${NOBODY}`, { headers: JSON_TYPE, payload: "{}" })).statusCode).toBe(404);
  });
});
