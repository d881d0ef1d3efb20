import process from "node:process";
import { CAN_HAVE_ENGINE, installedEngine, NEEDS_ENGINE } from "./installed-engine.js";

/**
 * Global set-up of projects with tests of the engine `tensorflow`: fetches it once, before any of their processes looks for it.
 * @throws with what the installation said; then no test of the project runs
 */
export default async function installEngineBeforeTests(): Promise<void> {
  const began = performance.now();
  if (!CAN_HAVE_ENGINE) {
    process.stdout.write(`no engine tensorflow: it ${NEEDS_ENGINE}\n`);
    return;
  }
  await installedEngine();
  process.stdout.write(`engine tensorflow is there after ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
}
