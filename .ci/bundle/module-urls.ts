import { posix, relative, sep } from "node:path";
import type { Plugin } from "rolldown";

/** Stands for the folder of the package's files until it is known which chunk a module has come into. */
const ROOT_MARK = "ringstrasse-root:";

/**
 * Keeps `import.meta.url` of this project's modules what it is without a bundle: the place of the module itself. So threads' entries and
 * data files are found where they have always been, whichever chunk a module lies in.
 * @param root folder of the compiled modules; the bundle's files will lie there as they lie in its own folder
 */
export function moduleUrls(root: string): Plugin {
  return {
    name: "module-urls",
    transform(code, id) {
      const path = relative(root, id).split(sep).join(posix.sep);
      if (path.startsWith("..") || id.includes(`${sep}node_modules${sep}`) || !code.includes("import.meta.url"))
        return null;
      const address = `new URL(${JSON.stringify(ROOT_MARK + path)}, import.meta.url).href`;
      return { code: code.replaceAll("import.meta.url", address), map: null };
    },
    renderChunk(code, { fileName }) {
      if (!code.includes(ROOT_MARK)) return null;
      const up = posix.relative(posix.dirname(fileName), ".");
      return { code: code.replaceAll(ROOT_MARK, up === "" ? "./" : `${up}/`), map: null };
    },
  };
}
