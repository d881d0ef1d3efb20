import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { ApiClient } from "../../../../../coordinator/dashboard/api/api-client.js";
import { ApiError, type ApiProblem, isAbort } from "../../../../../coordinator/dashboard/api/api-error.js";
import type { TokenKeeper } from "../../../../../coordinator/dashboard/api/token-keeper.js";
import { DashboardServer } from "../../../../support/dashboard-server.js";
import { RecordedJob, recordedEvents } from "../../../../support/recorded-job.js";

class MemoryTokenKeeper implements TokenKeeper {
  token: string | null = null;
  get(): string | null {
    return this.token;
  }
  set(token: string): void {
    this.token = token;
  }
}

async function serverAndClient(token?: string) {
  const server = await DashboardServer.start(token === undefined ? { page: null } : { page: null, token });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const tokens = new MemoryTokenKeeper();
  const asked: number[] = [];
  const api = new ApiClient({ origin: server.origin, tokens, unauthorised: () => asked.push(1) });
  return { server, api, tokens, asked };
}

async function problemOf(work: Promise<unknown>): Promise<ApiProblem> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof ApiError) return thrown.problem;
    throw thrown;
  }
  throw new Error("expected an ApiError, but nothing was thrown");
}

describe("API client", () => {
  it("reads jobs by page and status, a job with its metrics, and the cluster", async () => {
    const { server, api } = await serverAndClient();
    for (const name of ["one", "two", "three"]) server.add(new RecordedJob(`id-${name}`, name));
    const job = server.add(new RecordedJob("a/b", "strange id"));
    for (const event of recordedEvents()) job.hear(event);
    const first = await api.jobs({ limit: 3, cursor: null, status: null });
    expect(first.jobs.map(({ name }) => name)).toEqual(["strange id", "three", "two"]);
    const second = await api.jobs({ limit: 3, cursor: first.next, status: null });
    expect(second).toMatchObject({ jobs: [{ name: "one" }], next: null });
    expect((await api.jobs({ limit: 3, cursor: null, status: "ERROR" })).jobs).toEqual([]);
    expect(await api.job("a/b")).toEqual(job.detail);
    expect(await api.metrics("a/b")).toEqual(job.metrics);
    expect(await api.cluster()).toEqual(server.cluster);
  });

  it("tells the server's refusal with its place in the document", async () => {
    const { api } = await serverAndClient();
    const problem = await problemOf(api.submit("<vinnsl>\n<definition><nonsense/></definition></vinnsl>"));
    expect(problem).toMatchObject({ status: 400, line: 2 });
    expect(problem.code).toMatch(/^DOCUMENT_/);
    expect(problem.path).toContain("/vinnsl/definition");
  });

  it("tells an unknown job, and a server that is not there", async () => {
    const { server, api } = await serverAndClient();
    expect(await problemOf(api.job("nobody"))).toMatchObject({ status: 404, code: "NOT_FOUND" });
    await server[Symbol.asyncDispose]();
    const problem = await problemOf(api.cluster());
    expect(problem).toMatchObject({ status: 0, code: "UNREACHABLE" });
    expect(problem.message).toContain("ringstrasse serve");
  });

  it("says of a server that never answers that it does not, unless its caller has given up", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const origin = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const tokens = new MemoryTokenKeeper();
    const api = new ApiClient({ origin, tokens, unauthorised: () => undefined, readMs: 50 });
    expect(await problemOf(api.cluster(new AbortController().signal))).toMatchObject({ code: "UNREACHABLE" });
    await expect(api.job("a", AbortSignal.abort())).rejects.toSatisfy(isAbort);
  });

  it("refuses an answer of another shape, and names what is wrong with it", async () => {
    const { server, api } = await serverAndClient();
    Object.assign(server.cluster, { queue: "none" });
    const problem = await problemOf(api.cluster());
    expect(problem).toMatchObject({ code: "ANSWER_UNREADABLE" });
    expect(problem.message).toContain("queue");
  });

  it("asks for a token when the server does, and sends the one it is given", async () => {
    const { api, tokens, asked } = await serverAndClient("secret");
    expect(await problemOf(api.cluster())).toMatchObject({ status: 401, code: "UNAUTHORISED" });
    expect(asked).toHaveLength(1);
    tokens.set("secret");
    expect(api.hasToken).toBe(true);
    await api.cluster();
    expect(asked).toHaveLength(1);
  });

  it("does not ask again for a token that came while a request was on its way", async () => {
    const { api, tokens, asked } = await serverAndClient("secret");
    const early = problemOf(api.cluster());
    tokens.set("secret");
    expect(await early).toMatchObject({ status: 401 });
    expect(asked).toEqual([]);
  });
});
