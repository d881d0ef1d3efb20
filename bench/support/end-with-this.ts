import type { ChildProcess } from "node:child_process";
import process from "node:process";

/** Ends the child (SIGKILL) when this process exits before it does. By a signal that `exitOnSignals` doesn't hear this process ends without that. */
export function endWithThis(child: ChildProcess): void {
  const end = (): void => {
    child.kill("SIGKILL");
  };
  // A listener for each child that lives: more than the ten from which on Node takes them for a leak.
  process.setMaxListeners(process.getMaxListeners() + 1);
  process.once("exit", end);
  child.once("exit", () => {
    process.off("exit", end);
    process.setMaxListeners(process.getMaxListeners() - 1);
  });
}
