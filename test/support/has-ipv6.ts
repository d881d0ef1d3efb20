import { networkInterfaces } from "node:os";

/** Whether this host reaches itself by IPv6. */
export const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
