import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { unbindable } from "../../shared/transport/socket-failure.js";
import type { WorkerHealth } from "./worker-health.js";

/** Probes come from the host of a container, by whatever address it has. */
const EVERY_ADDRESS = "0.0.0.0";

/**
 * Answers an orchestrator's probes: `GET /health` with 200, or 503 from a worker that hangs and has to be started again; `GET /ready` with
 * 200 while a coordinator counts with this worker, else 503. It runs in the communication thread, so it answers while the main
 * thread computes. Whoever reaches the port learns no more than that.
 */
export class HealthServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param look is asked for each probe. @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  static async open(port: number, look: () => WorkerHealth): Promise<HealthServer> {
    const server = createServer((request, response) => answer(request.method, request.url, look(), response));
    try {
      server.listen({ host: EVERY_ADDRESS, port });
      await once(server, "listening");
      return new HealthServer(server);
    } catch (cause) {
      throw unbindable(`http://${EVERY_ADDRESS}:${port}`, cause);
    }
  }

  /** The one that was asked for; for 0 any that was free. */
  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the health server is closed");
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function answer(
  method: string | undefined,
  url: string | undefined,
  health: WorkerHealth,
  response: ServerResponse,
): void {
  const isGood = url === "/health" ? health.status === "ok" : url === "/ready" ? health.joined : null;
  if (isGood === null) return end(response, 404, { problem: "there are /health and /ready" });
  if (method !== "GET" && method !== "HEAD") return end(response, 405, { problem: "GET is what probes use" });
  end(response, isGood ? 200 : 503, health);
}

function end(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close" }).end(JSON.stringify(body));
}
