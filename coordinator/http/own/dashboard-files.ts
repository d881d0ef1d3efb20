import { access } from "node:fs/promises";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { HttpApp } from "../http-app.js";

/** Where the build puts the page: beside the compiled coordinator. */
const BUILT = fileURLToPath(new URL("../../dashboard", import.meta.url));
const YEAR_S = 31_536_000;

/**
 * `GET /`: the page and its files, for everybody: what they show they ask for with a token. Names of assets change with their content,
 * so browsers keep them; the page itself is asked for every time.
 * @param directory of the built page
 */
export async function registerDashboardFiles(app: HttpApp, directory: string = BUILT): Promise<void> {
  const built = await isBuilt(directory);
  await app.register((scope: HttpApp, _options, done) => {
    scope.addHook("onRoute", (route) => {
      route.config = { ...route.config, access: "public" };
      route.schema = { ...route.schema, hide: true };
    });
    if (built) {
      void scope.register(fastifyStatic, {
        root: directory,
        // Every file has its route: what is not there is answered like any other unknown path.
        wildcard: false,
        cacheControl: false,
        setHeaders: (answer, path) => {
          const isAsset = path.startsWith(join(directory, "assets") + sep);
          answer.setHeader("cache-control", isAsset ? `public, max-age=${YEAR_S}, immutable` : "no-cache");
        },
      });
    } else {
      scope.get("/", (_request, reply) => reply.code(404).type("text/plain; charset=utf-8").send(NOT_BUILT));
    }
    done();
  });
}

const NOT_BUILT = `The dashboard is not built: there is nothing in the folder that the server looks in.
Build it with "npm run build:dashboard", and start the server again.
The REST interface works without it: see /docs.
`;

/** Its sources have an index.html too, but no assets. */
async function isBuilt(directory: string): Promise<boolean> {
  const found = ["index.html", "assets"].map((name) =>
    access(join(directory, name)).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(found)).every(Boolean);
}
