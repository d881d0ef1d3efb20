import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../../shared/data/", import.meta.url);

/**
 * A real data set that is kept beside the repository, at `../shared/data` seen from its root; null where it is absent. A test that
 * needs one skips by name: `it.skipIf(realData("wines.csv") === null)("… (needs ../shared/data/wines.csv)", …)`.
 * @param name path below that folder, e.g. `mnist/t10k-images-idx3-ubyte.gz`
 */
export function realData(name: string): string | null {
  const path = fileURLToPath(new URL(name, FOLDER));
  return existsSync(path) ? path : null;
}
