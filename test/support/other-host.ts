import { spawnSync } from "node:child_process";

/** Namespaces of a machine of its own: name, processes, mounts. The network stays the same. */
const UNSHARE = ["--uts", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"];

/** Why processes can't be started as on another host, e.g. for lack of rights; null: they can. */
export function otherHostProblem(): string | null {
  const { status, error, stderr } = spawnSync("unshare", [...UNSHARE, "hostname", "elsewhere"], { encoding: "utf8" });
  if (error !== undefined) return error.message;
  return status === 0 ? null : stderr.trim();
}

/** To run a command through, twice at once, on a host called `name` that shares no memory with this one. */
export function twiceOnHost(name: string): string[] {
  return ["unshare", ...UNSHARE, "sh", "-c", 'hostname "$0" && { "$@" & "$@" & wait; }', name];
}
