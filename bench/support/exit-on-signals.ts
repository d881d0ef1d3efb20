import { constants } from "node:os";
import process from "node:process";

/**
 * Makes SIGINT, SIGTERM and SIGHUP (a terminal that was closed) end this process as `process.exit` does, with what listens to its `exit`: nothing that
 * it has started or stopped stays.
 */
export function exitOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
