import { dirname, join, relative, sep } from "node:path";
import { defineConfig } from "rolldown";
import { moduleUrls } from "./module-urls.js";
import { thirdPartyNotices } from "./third-party-notices.js";

/** What processes and threads are started with; in the package they lie where the compiled modules would. */
const ENTRIES = [
  "ringstrasse",
  "worker/communication/communication-thread",
  "worker/data/batch-reader-thread",
] as const;

/** Of shared/, what nearly every process and thread loads, and what brings no package but zod. */
const SHARED = /^([\w-]+\.js|(engine-store|learning-rate|random)[\\/].*)$/;
const LOGGER = "logger.js";

/** Packages with native code, or with files of their own that they look for beside themselves. They stay dependencies of the package. */
const EXTERNAL =
  /^(@tensorflow\/tfjs-backend-wasm|@tensorflow\/tfjs-core|koffi|libsql|msgpackr|xmllint-wasm|zeromq)(\/|$)/;

/**
 * `rolldown --config … --dir FOLDER/bundle`: the compiled modules in FOLDER and the packages that they need, in few files. One for each
 * command's side, split where a command loads what it alone needs.
 */
export default defineConfig(({ dir }: { readonly dir?: string }) => {
  if (dir === undefined)
    throw new Error("--dir is needed: the folder of the bundle, below that of the compiled modules");
  const root = dirname(dir);
  const shared = join(root, "shared") + sep;
  const isShared = (id: string): boolean => {
    const name = id.startsWith(shared) ? id.slice(shared.length) : "";
    return SHARED.test(name) && name !== LOGGER;
  };
  return {
    cwd: root,
    input: Object.fromEntries(ENTRIES.map((name) => [name, `./${name}.js`])),
    platform: "node",
    external: EXTERNAL,
    plugins: [moduleUrls(root), thirdPartyNotices()],
    output: {
      dir,
      format: "esm",
      entryFileNames: "[name].js",
      chunkFileNames: ({ facadeModuleId, name }) => `chunks/${chunkName(root, facadeModuleId, name)}.js`,
      // One file in the place of dozens: what several commands or threads share and that loads no package but zod.
      codeSplitting: { groups: [{ name: "shared", test: isShared, minShareCount: 2 }] },
      comments: { legal: true, annotation: false, jsdoc: false },
      // Traces name functions and lines that can be read.
      minify: false,
    },
  };
});

/** Of a module that is loaded when it is needed: its path, so that `worker/main` and `coordinator/main` can be told apart. */
function chunkName(root: string, facadeModuleId: string | null, name: string): string {
  if (facadeModuleId === null) return name;
  return relative(root, facadeModuleId)
    .replace(/\.js$/, "")
    .replaceAll(sep, "-")
    .replaceAll(/[^\w-]+/g, "");
}
