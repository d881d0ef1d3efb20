import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createDirectory } from "../../shared/create-directory.js";
import { type Failure, RingstrasseError, toFailure } from "../../shared/failure.js";
import { writeFailure } from "../../shared/write-failure.js";
import type { FileStore } from "../store/file-store.js";
import type { StoredFile } from "../store/stored-file.js";

export interface LendingPlace {
  readonly files: FileStore;
  /** Absolute; the call's own, removed afterwards whatever happens. */
  readonly folder: string;
}

/**
 * Has `use` read stored files by path: under the names that they were given, those of one shelf in one folder below `place.folder`.
 * What `use` throws names the files as they are stored. @throws RingstrasseError NOT_FOUND, STORE_DAMAGED, OUTPUT_UNWRITABLE; as `use`
 */
export async function lendFiles<Shelf extends string, T>(
  shelves: Readonly<Record<Shelf, readonly StoredFile[]>>,
  { files, folder }: LendingPlace,
  use: (paths: Readonly<Record<Shelf, readonly string[]>>) => Promise<T>,
): Promise<T> {
  const names = Object.keys(shelves) as Shelf[];
  try {
    const paths = {} as Record<Shelf, string[]>;
    for (const shelf of names) {
      paths[shelf] = [];
      for (const file of shelves[shelf]) paths[shelf].push(await lend(file, files, join(folder, shelf)));
    }
    return await use(paths);
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (failure.code === "INTERNAL") throw thrown;
    throw new RingstrasseError(
      withoutPaths(
        failure,
        names.map((shelf) => join(folder, shelf, "/")),
      ),
      { cause: thrown },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function lend(file: StoredFile, files: FileStore, shelf: string): Promise<string> {
  const content = await files.pathOf(file);
  const path = join(shelf, linkName(file.name));
  try {
    await createDirectory(shelf);
    await symlink(content, path);
  } catch (cause) {
    throw writeFailure(shelf, cause);
  }
  return path;
}

/** A stored name is data: as the name of a file it must be one, and short enough in bytes. Pure. */
export function linkName(name: string): string {
  const flat = name.replaceAll("/", "_");
  const named = /^\.+$/.test(flat) ? `_${flat}` : flat;
  return Buffer.byteLength(named) <= 255
    ? named
    : Buffer.from(named).subarray(-200).toString().replaceAll("\ufffd", "");
}

/** The failure without the paths that only this server knows. Pure. */
export function withoutPaths(failure: Failure, paths: readonly string[]): Failure {
  const named = (text: string) => paths.reduce((cut, path) => cut.replaceAll(path, ""), text);
  const entries = Object.entries(failure).map(([key, value]) => [
    key,
    typeof value === "string" ? named(value) : value,
  ]);
  return { ...failure, ...Object.fromEntries(entries) };
}
