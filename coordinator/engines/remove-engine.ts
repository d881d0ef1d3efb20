import { rm } from "node:fs/promises";
import { engineDirectory } from "../../shared/engine-store/engine-directory.js";
import { partPath } from "./download-source.js";
import { storeFailure } from "./engine-failure.js";
import type { EngineRecipe } from "./engine-recipe.js";
import { downloadsDirectory, openStore, takeOut } from "./store-access.js";

export interface Removal {
  readonly directory: string;
  /** False: it was not installed. */
  readonly removed: boolean;
}

/**
 * Takes an engine out of the store, with what unfinished installations of it have downloaded. Processes that use it
 * keep it until
 * they end.
 * @throws RingstrasseError ENGINE_UNAVAILABLE while it is being installed, or when its files can't be removed
 */
export async function removeEngine({ release, sources }: EngineRecipe, root: string): Promise<Removal> {
  const directory = engineDirectory(root, release);
  try {
    await using _lock = await openStore(release.name, root);
    for (const { hash } of sources) await rm(partPath(downloadsDirectory(root), hash), { force: true });
    return { directory, removed: await takeOut(directory) };
  } catch (thrown) {
    throw storeFailure(release.name, directory, thrown);
  }
}
