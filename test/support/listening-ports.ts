import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** In /proc/net/tcp: waits for connections. */
const LISTEN = "0A";

/** TCP ports that a process of this host listens at, on IPv4 addresses. */
export function listeningPorts(pid: number): number[] {
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => targetOf(`/proc/${pid}/fd/${fd}`)));
  return readFileSync(`/proc/${pid}/net/tcp`, "utf8")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === LISTEN && own.has(`socket:[${columns[9]}]`))
    .map(([, address = ""]) => Number.parseInt(address.slice(address.indexOf(":") + 1), 16));
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    // It has been closed meanwhile.
    return "";
  }
}
