import { homedir } from "node:os";
import { join } from "node:path";

/** What this software may make anew at any time, in the user's cache directory (XDG Base Directory Specification). */
export function cacheDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  const home = environment["XDG_CACHE_HOME"] || join(environment["HOME"] || homedir(), ".cache");
  return join(home, "ringstrasse");
}
