import { readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { sharedMemoryProblem } from "./shared-segment.js";

/** Whether this process can share memory, and with whom. */
export type MemorySharing =
  /** With every process whose domain is the same text. */
  | { readonly domain: string; readonly problem: null }
  /** With nobody, and why not, without final period. */
  | { readonly domain: null; readonly problem: string };

/** How the operating system is asked; replaced in tests. */
export interface DomainSources {
  readonly readText: (path: string) => string;
  readonly readLink: (path: string) => string;
  readonly sharingProblem: () => string | null;
}

const SYSTEM: DomainSources = {
  readText: (path) => readFileSync(path, "utf8").trim(),
  readLink: (path) => readlinkSync(path),
  sharingProblem: () => sharedMemoryProblem(),
};

/**
 * Who shares memory with this process. A host's name doesn't tell: containers of one machine may bear the same name, and machines the
 * name of their image. A segment is opened as /proc/PID/fd/FD and announced over a unix socket in a file, so it takes
 * - one running kernel: its boot's random number, alike in all its containers;
 * - one numbering of processes (pid namespace) and one tree of files (mount namespace);
 * - one user, to whom the other's /proc entries are open.
 * It is a claim; the key at the beginning of each segment proves it when the segment is opened. Never throws.
 */
export function memorySharing(sources: DomainSources = SYSTEM): MemorySharing {
  const problem = sources.sharingProblem();
  if (problem !== null) return { domain: null, problem };
  try {
    const boot = sources.readText("/proc/sys/kernel/random/boot_id");
    const namespaces = ["pid", "mnt", "user"].map((kind) => sources.readLink(`/proc/self/ns/${kind}`));
    return { domain: [boot, ...namespaces, `uid:${process.getuid?.() ?? "none"}`].join(" "), problem: null };
  } catch (thrown) {
    return { domain: null, problem: `the host can't be told from others (${String(thrown)})` };
  }
}
