import { constants } from "node:os";
import process from "node:process";

/** Makes SIGINT and SIGTERM end this process as `process.exit` does, with what listens to its `exit`: nothing that it has stopped stays. */
export function exitOnSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
