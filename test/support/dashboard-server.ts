import type { ServerResponse } from "node:http";
import multipart from "@fastify/multipart";
import fastifyStatic from "@fastify/static";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { FREQUENT_EVENTS } from "../../coordinator/store/job-store.js";
import { readNetwork } from "../../coordinator/vinnsl/read-network.js";
import type { Cluster } from "../../shared/api/cluster.js";
import type { ErrorResponse } from "../../shared/api/error-response.js";
import type { JobEvent } from "../../shared/api/job-event.js";
import { toFailure } from "../../shared/failure.js";
import { VERSION } from "../../shared/version.js";
import { RecordedJob } from "./recorded-job.js";

/** What a page needs no more than: nothing from elsewhere, nothing written into the page itself. */
const STRICT_POLICY = "default-src 'self'";

export interface DashboardServerOptions {
  /** The built page; null: REST only. */
  readonly page: string | null;
  readonly token?: string;
}

/**
 * A real HTTP server on a port of its own that answers the dashboard's requests from jobs held in memory; documents are read by the
 * coordinator's own reader. Records what it was asked.
 */
export class DashboardServer implements AsyncDisposable {
  readonly jobs = new Map<string, RecordedJob>();
  readonly cluster: Cluster = { workers: [], queue: [], queued: 0, version: VERSION };
  /** `METHOD /path?query` of every request but those for the page's files. */
  readonly requests: string[] = [];
  /** What each event stream was asked to resume behind, in order. */
  readonly resumedAfter: number[] = [];
  readonly uploads: { readonly name: string; readonly bytes: number }[] = [];
  origin = "";
  readonly #token: string | null;
  readonly #streams = new Map<ServerResponse, string>();
  /** By job: up to which number its steps and epochs are forgotten. */
  readonly #forgotten = new Map<string, number>();
  readonly #fastify: FastifyInstance;

  private constructor({ page, token }: DashboardServerOptions) {
    this.#token = token ?? null;
    this.#fastify = fastify({ forceCloseConnections: true });
    if (page !== null) this.#servePage(page);
    void this.#fastify.register(multipart);
    this.#fastify.addContentTypeParser("application/xml", { parseAs: "string" }, (_, body, done) => done(null, body));
    this.#fastify.addHook("onRequest", (request, reply, done) => {
      if (this.#admits(request)) done();
      else void reply.code(401).send(refusal("UNAUTHORISED", "a token is needed. Send it as a bearer token"));
    });
    this.#clusterRoutes();
    this.#jobRoutes();
    this.#storageRoutes();
  }

  static async start(options: DashboardServerOptions): Promise<DashboardServer> {
    const server = new DashboardServer(options);
    server.origin = await server.#fastify.listen({ host: "127.0.0.1", port: 0 });
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dropStreams();
    await this.#fastify.close();
  }

  add(job: RecordedJob): RecordedJob {
    this.jobs.set(job.summary.id, job);
    return job;
  }

  /** A job takes in `event`, and whoever listens to it is told. */
  push(id: string, event: JobEvent): void {
    const job = this.#known(id);
    job.hear(event);
    for (const [stream, followed] of this.#streams) {
      if (followed === id) stream.write(frame(event, job.events.length));
    }
  }

  /** Takes in `event` without telling anybody, as when nobody is connected. */
  hear(id: string, event: JobEvent): void {
    this.#known(id).hear(event);
  }

  /** Keeps the steps and epochs so far in its metrics alone, and tells of them no more, as a server does with old ones. */
  forget(id: string): void {
    this.#forgotten.set(id, this.#known(id).events.length);
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Breaks every event stream without a word. */
  dropStreams(): void {
    for (const stream of this.#streams.keys()) stream.destroy();
  }

  #servePage(root: string): void {
    void this.#fastify.register(fastifyStatic, { root });
    this.#fastify.addHook("onSend", (_, reply, payload, done) => {
      void reply.header("content-security-policy", STRICT_POLICY);
      done(null, payload);
    });
  }

  #admits(request: FastifyRequest): boolean {
    if (request.url === "/" || request.url.startsWith("/assets/") || request.url === "/favicon.svg") return true;
    this.requests.push(`${request.method} ${request.url}`);
    return this.#token === null || request.headers.authorization === `Bearer ${this.#token}`;
  }

  #clusterRoutes(): void {
    this.#fastify.get("/cluster", () => this.cluster);
    this.#fastify.get<{ Querystring: { limit: string; cursor?: string; status?: string } }>(
      "/cluster/jobs",
      ({ query }) => {
        const from = Number(query.cursor ?? 0);
        const to = from + Number(query.limit);
        const all = [...this.jobs.values()].map(({ summary }) => summary).reverse();
        const wanted = all.filter(({ status }) => query.status === undefined || status === query.status);
        return { jobs: wanted.slice(from, to), next: to < wanted.length ? String(to) : null };
      },
    );
    this.#fastify.get<{ Params: { id: string } }>("/cluster/jobs/:id", ({ params }, reply) => {
      return this.jobs.get(params.id)?.detail ?? unknownJob(reply, params.id);
    });
  }

  #jobRoutes(): void {
    const routes = this.#fastify;
    routes.post("/vinnsl", ({ body }, reply) => this.#submit(String(body), reply));
    routes.get<{ Params: { id: string } }>("/vinnsl/:id", ({ params }, reply) => {
      const job = this.jobs.get(params.id);
      return job === undefined ? unknownJob(reply, params.id) : reply.type("application/xml").send(job.xml);
    });
    routes.get<{ Params: { id: string } }>("/vinnsl/:id/metrics", ({ params }, reply) => {
      return this.jobs.get(params.id)?.metrics ?? unknownJob(reply, params.id);
    });
    routes.get<{ Params: { id: string } }>("/vinnsl/:id/events", (request, reply) => this.#stream(request, reply));
    routes.delete<{ Params: { id: string } }>("/vinnsl/:id", ({ params }, reply) => {
      return this.jobs.delete(params.id) ? reply.code(200).send() : unknownJob(reply, params.id);
    });
    routes.put<{ Params: { id: string } }>("/vinnsl/:id/addfile", ({ params }, reply) => {
      return this.jobs.has(params.id) ? {} : unknownJob(reply, params.id);
    });
    for (const command of ["train", "retrain", "cancel"]) {
      routes.post<{ Params: { id: string } }>(`/vinnsl/:id/${command}`, ({ params }, reply) => {
        const job = this.jobs.get(params.id);
        if (job === undefined) return unknownJob(reply, params.id);
        const cancelled = { code: "INTERRUPTED", signal: "cancel" } as const;
        this.push(params.id, command === "cancel" ? job.moveTo("ERROR", cancelled) : job.moveTo("QUEUED"));
        return {};
      });
    }
  }

  #storageRoutes(): void {
    this.#fastify.post("/storage", async (request, reply) => {
      const file = await request.file();
      if (file === undefined) return reply.code(400).send(refusal("USAGE", "a part named file is needed. Send one"));
      this.uploads.push({ name: file.filename, bytes: (await file.toBuffer()).length });
      return { file: `file${this.uploads.length}` };
    });
  }

  #submit(xml: string, reply: FastifyReply): FastifyReply {
    try {
      const { name } = readNetwork(Buffer.from(xml), null);
      const id = (this.jobs.size + 1).toString(16).padStart(24, "0");
      this.add(new RecordedJob(id, name ?? "")).xml = xml;
      return reply.code(201).header("location", `${this.origin}/vinnsl/${id}`).send();
    } catch (thrown) {
      const failure = toFailure(thrown);
      const place = "elementPath" in failure && "line" in failure ? failure : { elementPath: null, line: null };
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      const error = { code: failure.code, message, path: place.elementPath, line: place.line };
      return reply.code(400).send({ error });
    }
  }

  #stream(request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply): void {
    const { id } = request.params;
    const job = this.jobs.get(id);
    if (job === undefined) return void unknownJob(reply, id);
    const after = Number(request.headers["last-event-id"] ?? 0);
    this.resumedAfter.push(after);
    reply.hijack();
    reply.raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    reply.raw.write(": welcome\n\n");
    const forgotten = this.#forgotten.get(id) ?? 0;
    for (const [index, event] of job.events.entries()) {
      const isForgotten = index + 1 <= forgotten && FREQUENT_EVENTS.includes(event.event);
      if (index + 1 > after && !isForgotten) reply.raw.write(frame(event, index + 1));
    }
    this.#streams.set(reply.raw, id);
    reply.raw.on("close", () => this.#streams.delete(reply.raw));
  }

  #known(id: string): RecordedJob {
    const job = this.jobs.get(id);
    if (job === undefined) throw new Error(`the test has no job ${id}`);
    return job;
  }
}

function frame(event: JobEvent, id: number): string {
  return `id: ${id}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;
}

function unknownJob(reply: FastifyReply, id: string): FastifyReply {
  return reply.code(404).send(refusal("NOT_FOUND", `there is no job ${id}. See GET /status for those there are`));
}

function refusal(code: string, message: string): ErrorResponse {
  return { error: { code, message, path: null, line: null } };
}
