import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const ROOT = fileURLToPath(new URL(".", import.meta.url));

/**
 * Builds the page into dist/coordinator/dashboard (or `--outDir`). Everything it needs is in there: no outside requests, no inlined
 * scripts, styles or `data:` addresses, so that it runs under `default-src 'self'`.
 */
export default defineConfig({
  root: ROOT,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("../../dist/coordinator/dashboard", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    sourcemap: false,
    reportCompressedSize: false,
  },
  // `vite dev` against a coordinator that runs here.
  server: {
    proxy: Object.fromEntries(
      ["/vinnsl", "/status", "/storage", "/cluster"].map((path) => [path, "http://127.0.0.1:8080"]),
    ),
  },
});
