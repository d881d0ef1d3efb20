import type { networkInterfaces } from "node:os";
import { ringAddress } from "./ring-address.js";

/**
 * A URL or endpoint at which a server listens, as a person on another host can use it: in the place of "all addresses", which would be that
 * host itself there, the address that workers of this host are given out under (`ringAddress`). Others are themselves.
 */
export function reachableUrl(url: string, interfaces?: ReturnType<typeof networkInterfaces>): string {
  return url.replace(/^(\w+:\/\/)(?:0\.0\.0\.0|\[::\])(?=:|$)/, (_, scheme: string) => {
    return `${scheme}${ringAddress("0.0.0.0", interfaces)}`;
  });
}
