import { readdir, readFile, readlink } from "node:fs/promises";
import { unlessGone } from "./unless-gone.js";

/** What one process holds at one moment. */
export interface ResourceSample {
  /** Open file descriptors of any kind. */
  readonly descriptors: number;
  /** Of these, sockets. */
  readonly sockets: number;
  /** Of these, anonymous memory that is shared (memfd_create), and files of /dev/shm. */
  readonly sharedFiles: number;
  /** Mappings of such memory, whether still open or not. */
  readonly sharedMappings: number;
}

/** Read from /proc (Linux only). Null: the process has ended. */
export async function sampleResources(pid: number): Promise<ResourceSample | null> {
  const names = await unlessGone(readdir(`/proc/${pid}/fd`));
  const maps = await unlessGone(readFile(`/proc/${pid}/maps`, "utf8"));
  if (names === null || maps === null) return null;
  // Those closed since the folder was read are not there any more.
  const targets = await Promise.all(names.map((name) => unlessGone(readlink(`/proc/${pid}/fd/${name}`))));
  const open = targets.filter((target) => target !== null);
  return {
    descriptors: open.length,
    sockets: open.filter((target) => target.startsWith("socket:")).length,
    sharedFiles: open.filter(isShared).length,
    sharedMappings: maps.split("\n").filter((line) => isShared(line.slice(line.indexOf("/")))).length,
  };
}

/** Names of the files of /dev/shm that a process has open or mapped, also of removed ones. Read from /proc (Linux only). */
export async function sharedFilesOf(pid: number): Promise<string[]> {
  const names = (await unlessGone(readdir(`/proc/${pid}/fd`))) ?? [];
  const maps = (await unlessGone(readFile(`/proc/${pid}/maps`, "utf8"))) ?? "";
  const targets = await Promise.all(names.map((name) => unlessGone(readlink(`/proc/${pid}/fd/${name}`))));
  const places = [...targets, ...maps.split("\n").map((line) => line.slice(line.indexOf("/")))];
  const shared = places.flatMap((place) => /^\/dev\/shm\/(.+?)(?: \(deleted\))?$/.exec(place ?? "")?.[1] ?? []);
  return [...new Set(shared)];
}

function isShared(path: string): boolean {
  return path.startsWith("/memfd:") || path.startsWith("/dev/shm/");
}
