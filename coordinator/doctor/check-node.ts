import type { Finding, MachineCheck } from "./finding.js";

/** Oldest version that is tested. */
const OLDEST = [20, 19] as const;

/** Whether this version of Node is one that the software is made for. @param version e.g. `20.19.2` */
export function nodeCheck(version: string, platform: string): MachineCheck {
  return () => Promise.resolve([finding(version, platform)]);
}

function finding(version: string, platform: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return {
    check: "node",
    status: isOld ? "problem" : "ok",
    found: `Node ${version} on ${platform}`,
    facts: { version, platform },
    remedy: isOld ? `Install Node ${OLDEST.join(".")} or newer` : null,
  };
}
