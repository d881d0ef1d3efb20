import process from "node:process";

/** Where this process and its threads make their sockets from here on: a folder that somebody else removes, whatever happens here. */
export function useSocketDirectory(path: string): void {
  process.env["TMPDIR"] = path;
}
