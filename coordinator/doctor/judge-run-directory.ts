import { isSharedFileSystem } from "../store/file-system-kind.js";
import type { Finding } from "./finding.js";

export interface RunDirectoryFacts {
  /** As the user named it. */
  readonly path: string;
  /** Of its file system, as /proc/mounts says; null: unknown. */
  readonly kind: string | null;
  /** Null: it can't be looked at; `problem` says why. */
  readonly freeBytes: number | null;
  /** What of writing, syncing, renaming over a file and excluding a second writer did not work; null: all did. */
  readonly problem: string | null;
}

const GIB = 2 ** 30;
/** Gone with the machine, or with the container. */
const FLEETING: ReadonlyMap<string, string> = new Map([
  ["tmpfs", "which lies in memory, and is gone at the next start"],
  ["ramfs", "which lies in memory, and is gone at the next start"],
  ["overlay", "which is gone with this container"],
]);

/** Whether runs can keep their results and checkpoints in a folder. Pure. */
export function judgeRunDirectory({ path, kind, freeBytes, problem }: RunDirectoryFacts): Finding {
  const check = "run directory";
  const facts = { path, kind, freeBytes };
  const fleeting = FLEETING.get(kind ?? "");
  const shared = kind !== null && isSharedFileSystem(kind);
  const where =
    freeBytes === null
      ? path
      : `${path} on ${kind ?? "a file system of unknown kind"}, ${(freeBytes / GIB).toPrecision(3)} GiB free`;
  if (problem !== null) {
    const remedy = "Choose another folder by --out, on a file system that this user may write to";
    return { check, status: "problem", found: `${where}: ${problem}`, facts, remedy };
  }
  if (fleeting !== undefined) {
    const remedy = "Choose a folder on a disk or a mounted volume by --out";
    return { check, status: "warning", found: `${where}, ${fleeting}`, facts, remedy };
  }
  if (freeBytes !== null && freeBytes < GIB) {
    const remedy = "Make room, or choose another folder by --out: a checkpoint takes three to four times its model";
    return { check, status: "warning", found: where, facts, remedy };
  }
  const reach = shared ? "seen by other hosts; fit for runs, not for the data directory of serve" : "this host's alone";
  return { check, status: "ok", found: `${where}; ${reach}`, facts, remedy: null };
}
