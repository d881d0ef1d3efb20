import { type ListedEngine, type Listing, listEngines } from "../engines/list-engines.js";
import type { Finding, MachineCheck } from "./finding.js";

/** Each engine: whether it is here and whole, and how fast it multiplies matrices. A second for each. */
export function enginesCheck(listing: Listing): MachineCheck {
  return async () => (await listEngines(listing)).map(finding);
}

function finding(engine: ListedEngine): Finding {
  const { status, version, device, threads, origin, directory, gigaflops, measuredThreads, problem, remedy } = engine;
  return {
    check: `engine ${engine.engine}`,
    // An engine that nobody has installed is no fault of the machine; neither is one whose device it hasn't got.
    status: status === "ready" ? "ok" : status === "broken" ? "problem" : "absent",
    found: problem ?? described(engine),
    facts: { version, device, threads, origin, directory, gigaflops, measuredThreads },
    remedy,
  };
}

function described({ version, device, threads, directory, gigaflops, measuredThreads }: ListedEngine): string {
  const speed = gigaflops === null ? null : `${gigaflops.toPrecision(3)} GFLOP/s with ${counted(measuredThreads)}`;
  const most = threads > 1 ? `up to ${counted(threads)}` : null;
  return [version, `on the ${device.toUpperCase()}`, most, speed, directory].filter((part) => part !== null).join(", ");
}

function counted(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}
