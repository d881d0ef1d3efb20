import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { RingstrasseError } from "../../shared/failure.js";

export interface AccessOptions {
  readonly host: string;
  readonly token: string | undefined;
  readonly readToken: string | undefined;
  readonly insecure: boolean;
}

/** Who may use a server. */
export interface ServeAccess {
  readonly read: string | null;
  readonly write: string | null;
  /** What workers join with: the write token, or one made for this server alone. */
  readonly workers: string;
  /** Whether everybody who reaches the address may do everything, and others than this machine's users can. */
  readonly isOpenToAll: boolean;
}

/**
 * Decides who may use a server at an address: without a token only this machine's users.
 * @throws RingstrasseError USAGE for an address that others reach without a token, and for a read token without a write token, or that is one.
 */
export function serveAccess({ host, token, readToken, insecure }: AccessOptions): ServeAccess {
  if (token === undefined && readToken !== undefined) {
    throw usage("--read-token", "it protects nothing while everybody may write", "Give --token too");
  }
  if (token !== undefined && token === readToken) {
    throw usage(
      "--read-token",
      "it is the same as --token, and so lets its bearers write",
      "Give another one, or none",
    );
  }
  const isPublic = !isLoopback(host);
  if (token === undefined && isPublic && !insecure) {
    const problem = `${host} can be reached from other hosts, and there is no token`;
    const remedy = "Give a token (RINGSTRASSE_TOKEN), or stay on 127.0.0.1; --insecure lets everybody do everything";
    throw usage("--host", problem, remedy);
  }
  if (token !== undefined && insecure) {
    throw usage("--insecure", "there is a token, which it would make useless", "Leave one of the two out");
  }
  const workers = token ?? randomBytes(24).toString("hex");
  return {
    read: readToken ?? token ?? null,
    write: token ?? null,
    workers,
    isOpenToAll: token === undefined && isPublic,
  };
}

/** Names may be made to mean anything: only `localhost` counts, and addresses that can't leave the machine. */
function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name === "::1") return true;
  return isIP(name) === 4 && name.startsWith("127.");
}

function usage(option: string, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "USAGE", option, problem, remedy });
}
