import type { Readable } from "node:stream";

/** A regular file in an archive. */
export interface ArchiveEntry {
  /** As the archive has it, `/`-separated. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly isExecutable: boolean;
  /** Its uncompressed bytes. Call it at most once, before the visit ends. */
  open(): Promise<Readable>;
}

/** Calls `visit` for each regular file, one after the other. @throws ArchiveDamaged; what `visit` throws */
export type ReadArchive = (path: string, visit: (entry: ArchiveEntry) => Promise<void>) => Promise<void>;

/** An archive that can't be read, or that must not be: a name in it leads out of it. */
export class ArchiveDamaged extends Error {
  override readonly name = "ArchiveDamaged";
}
