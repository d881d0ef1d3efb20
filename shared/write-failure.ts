import { RingstrasseError } from "./failure.js";

/** What the operating system's codes mean to the person who chose the path. */
const REASONS: Readonly<Record<string, { problem: string; remedy: string }>> = {
  EACCES: {
    problem: "no permission to write here",
    remedy: "Choose another directory, or change this one's permissions",
  },
  EPERM: {
    problem: "no permission to write here",
    remedy: "Choose another directory, or change this one's permissions",
  },
  EROFS: { problem: "the file system is read-only", remedy: "Choose a directory on a writable file system" },
  ENOTDIR: {
    problem: "a part of the path is a file, not a directory",
    remedy: "Choose another directory, or move that file away",
  },
  EEXIST: { problem: "a file is in the way", remedy: "Choose another directory, or move that file away" },
  EISDIR: { problem: "a directory is in the way", remedy: "Choose another path, or move that directory away" },
  ENOENT: { problem: "it can't be created", remedy: "Choose a directory that exists or can be created" },
  ENOSPC: {
    problem: "no space is left on the device",
    remedy: "Free some space, or choose a directory on another device",
  },
  EFBIG: {
    problem: "the file would be larger than this process may write",
    remedy: "Raise the limit on file sizes (ulimit -f), or choose another file system",
  },
  EDQUOT: { problem: "the disk quota is used up", remedy: "Free some space, or choose a directory on another device" },
  EPIPE: { problem: "its reader has gone", remedy: "Keep the reader running, or redirect the output to a file" },
  ENAMETOOLONG: { problem: "the path is too long", remedy: "Choose a shorter path" },
};

/** Turns a failed write into `OUTPUT_UNWRITABLE`; anything that is no error of the operating system is given back as it is. */
export function writeFailure(path: string, cause: unknown): unknown {
  if (cause instanceof RingstrasseError || !isSystemError(cause)) return cause;
  const { problem, remedy } = REASONS[cause.code] ?? {
    problem: `writing failed (${cause.code}: ${cause.message})`,
    remedy: "Choose another directory",
  };
  return new RingstrasseError({ code: "OUTPUT_UNWRITABLE", path, problem, remedy }, { cause });
}

/** An error of the operating system: it carries a code like `ENOENT`. */
export function isSystemError(thrown: unknown): thrown is Error & { readonly code: string } {
  return thrown instanceof Error && "syscall" in thrown && "code" in thrown && typeof thrown.code === "string";
}
