import type { FastifyRequest } from "fastify";
import { checkAddress } from "./access/address-guard.js";
import { type Access, checkToken } from "./access/token-guard.js";
import type { HttpApp, HttpServices } from "./http-app.js";
import { HttpRefusal } from "./http-refusal.js";
import { RouteTable } from "./route-table.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may call the route. Default: `read` for GET and HEAD, `write` for every other method. */
    access?: Access;
  }
}

/**
 * Refuses, before anything of a body is read: requests under foreign names and writes from foreign pages, those without the token that
 * their route's `config.access` needs, and those for which there is no route.
 */
export function registerGuards(app: HttpApp, services: HttpServices): void {
  const routes = new RouteTable();
  app.addHook("onRoute", ({ method, url }) => {
    for (const each of [method].flat()) routes.add(each, url);
  });
  app.addHook("onRequest", (request, _reply, done) => {
    checkAddress(addressOf(request), services);
    const access = request.routeOptions.config.access ?? defaultAccess(request.method);
    checkToken(access, request.headers.authorization, services.tokens);
    if (request.is404) throw noRoute(request, routes);
    done();
  });
  app.setNotFoundHandler((request) => {
    throw noRoute(request, routes);
  });
}

function addressOf(request: FastifyRequest) {
  const { method, headers, socket } = request;
  return { method, host: headers.host, origin: headers.origin, localAddress: socket.localAddress };
}

function defaultAccess(method: string): Access {
  return method === "GET" || method === "HEAD" ? "read" : "write";
}

function noRoute(request: FastifyRequest, routes: RouteTable): HttpRefusal {
  const [path = ""] = request.url.split("?");
  const allowed = routes.methodsOf(path);
  if (allowed.length === 0) {
    const problem = `there is nothing at ${request.method} ${path.slice(0, 200)}`;
    return new HttpRefusal({ status: 404, code: "NOT_FOUND", problem, remedy: "See /docs for what there is" });
  }
  return new HttpRefusal({
    status: 405,
    code: "METHOD_NOT_ALLOWED",
    problem: `${path.slice(0, 200)} does not take ${request.method}`,
    remedy: `It takes ${allowed.join(", ")}`,
    headers: { allow: allowed.join(", ") },
  });
}
