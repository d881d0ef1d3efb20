import fastifySwagger from "@fastify/swagger";
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { MAX_BODY_BYTES } from "../../shared/api/max-body-bytes.js";
import type { Logger } from "../../shared/logger.js";
import { VERSION } from "../../shared/version.js";
import type { JobService } from "../service/job-service.js";
import type { FileStore } from "../store/file-store.js";
import { endConnections } from "./end-connections.js";
import { answerErrors, frameworkErrorHandler, refuseConnection } from "./error-handlers.js";
import { registerGuards } from "./guards.js";
import { describeRoutes } from "./openapi/describe-routes.js";
import { registerDocsRoutes } from "./openapi/docs-routes.js";
import { registerOwnRoutes } from "./own/register-own-routes.js";
import { registerDl4jRoutes } from "./routes/dl4j-routes.js";
import { registerQueueRoutes } from "./routes/queue-routes.js";
import { registerStatusRoutes } from "./routes/status-routes.js";
import { registerStorageRoutes } from "./routes/storage-routes.js";
import { registerVinnslRoutes } from "./routes/vinnsl-routes.js";
import { registerSecurityHeaders } from "./security-headers.js";

/** The app that routes are registered with: schemas are zod's. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Who may do what. Both null: everybody may do everything, which is for loopback addresses alone. */
export interface HttpTokens {
  /** Lets GET and HEAD through. */
  readonly read: string | null;
  /** Lets everything through. */
  readonly write: string | null;
}

export interface HttpLimits {
  /** Of a document, or any other body but an upload. Default 2 MiB. */
  readonly bodyBytes?: number;
  /** How long such a body may take to arrive. Default 30,000. */
  readonly bodyTimeoutMs?: number;
  /** How long a whole request may take to arrive, uploads included. Default 1 hour. */
  readonly requestTimeoutMs?: number;
  /** How long a connection may be silent, either way. Default 120,000. */
  readonly idleTimeoutMs?: number;
  /** How long requests that run when the server closes may go on before they are cut off. Default 5000. */
  readonly closeMs?: number;
  /** Open at once. Default 1024. */
  readonly connections?: number;
}

/** What routes work with. */
export interface HttpServices {
  readonly service: JobService;
  readonly files: FileStore;
  readonly tokens: HttpTokens;
  readonly limits: Required<HttpLimits>;
  /** Scheme, host and port under which clients reach this server, without a final slash; null: as they say themselves. */
  readonly publicOrigin: string | null;
  /** Aborts when the server closes: streams without an end of their own end then. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

export interface HttpAppOptions {
  readonly service: JobService;
  readonly files: FileStore;
  readonly tokens: HttpTokens;
  readonly limits?: HttpLimits;
  readonly log: Logger;
  readonly publicOrigin?: string | null;
}

const DEFAULT_LIMITS: Required<HttpLimits> = {
  bodyBytes: MAX_BODY_BYTES,
  bodyTimeoutMs: 30_000,
  requestTimeoutMs: 3_600_000,
  idleTimeoutMs: 120_000,
  closeMs: 5_000,
  connections: 1024,
};

/** Longest path parameter, in characters: file names have up to 255 characters of up to 12 percent-encoded ones. */
const MAX_PARAMETER_LENGTH = 3200;

/**
 * The REST interface: the ViNNSL stack's routes and this server's own. Not listening yet: the caller calls `listen`, and `close`, which
 * lets running requests end for at most `limits.closeMs`. Neither `service` nor `files` is closed by it.
 *
 * Routes say who may call them by `config.access` (see {@link registerGuards}) and how their bodies are documented by
 * `config.requestBody`.
 */
export async function createHttpApp(options: HttpAppOptions): Promise<HttpApp> {
  const { service, files, tokens, log, publicOrigin = null } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const closing = new AbortController();
  const app = createFastify(limits, log);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.server.maxConnections = limits.connections;
  app.addHook("preClose", (done) => {
    closing.abort();
    done();
  });
  endConnections(app, limits.closeMs, () => {
    log.warn({ closeMs: limits.closeMs }, "requests that had not ended were cut off, since the server ends");
  });
  const services = { service, files, tokens, limits, publicOrigin, closing: closing.signal, log };
  registerSecurityHeaders(app);
  registerGuards(app, services);
  answerErrors(app);
  await app.register(fastifySwagger, describeRoutes(VERSION, tokens));
  registerDocsRoutes(app);
  registerVinnslRoutes(app, services);
  registerStatusRoutes(app, services);
  registerDl4jRoutes(app, services);
  registerQueueRoutes(app, services);
  registerStorageRoutes(app, services);
  await registerOwnRoutes(app, services);
  await app.ready();
  return app;
}

function createFastify(limits: Required<HttpLimits>, loggerInstance: FastifyBaseLogger): HttpApp {
  return fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    forceCloseConnections: "idle",
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAMETER_LENGTH },
    http: { headersTimeout: Math.min(20_000, limits.requestTimeoutMs), maxHeaderSize: 16_384 },
    frameworkErrors: frameworkErrorHandler,
    clientErrorHandler: refuseConnection,
  }).withTypeProvider<ZodTypeProvider>();
}
