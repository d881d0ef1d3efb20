import process from "node:process";
import { fileURLToPath } from "node:url";
import type { ContenderPlan } from "./contender.js";

const SCRIPT = fileURLToPath(new URL("./our-steps.js", import.meta.url));

/** An engine of ours as a contender. */
export function ourEngine(name: string): ContenderPlan {
  return {
    name,
    command: [process.execPath, SCRIPT],
    settings: [name],
    environment: {},
    mostThreads: name === "wasm" ? 1 : Number.POSITIVE_INFINITY,
  };
}
