import type { HttpApp } from "../http-app.js";
import { docsPage, docsStyle } from "./docs-page.js";

/** `GET /docs/json`: the interface as OpenAPI; `GET /docs`: the same for people. */
export function registerDocsRoutes(app: HttpApp): void {
  const options = { schema: { hide: true }, config: { access: "public" } } as const;
  app.get("/docs/json", options, (_request, reply) => {
    return reply.type("application/json; charset=utf-8").send(Buffer.from(JSON.stringify(app.swagger())));
  });
  app.get("/docs", options, (_request, reply) => reply.type("text/html; charset=utf-8").send(docsPage(app.swagger())));
  app.get("/docs/style.css", options, (_request, reply) => reply.type("text/css; charset=utf-8").send(docsStyle));
}
