import { commandOutput } from "./command-output.js";
import type { MachineCheck } from "./finding.js";
import { judgeClock } from "./judge-clock.js";

/** Whether the system says that its clock is synchronised, as systemd and chrony tell. */
export function clockCheck(environment: NodeJS.ProcessEnv): MachineCheck {
  return async () => {
    const systemd = await commandOutput("timedatectl", ["show", "--property=NTPSynchronized", "--value"], environment);
    const chrony = systemd?.isGood === true ? null : await commandOutput("chronyc", ["-c", "tracking"], environment);
    return [judgeClock(readSynchronised(systemd?.stdout ?? "", chrony?.stdout ?? ""))];
  };
}

/** Pure. @param chrony of `chronyc -c tracking`: its last field is the state of leap seconds */
export function readSynchronised(systemd: string, chrony: string): boolean | null {
  if (/^(yes|no)\s*$/.test(systemd)) return systemd.startsWith("yes");
  const state = chrony.trim().split(",").at(-1);
  return state === undefined || state === "" ? null : state !== "Not synchronised";
}
