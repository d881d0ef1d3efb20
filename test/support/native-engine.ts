import process from "node:process";
import { locateEngine } from "../../shared/engine-store/locate-engine.js";
import type { NativeLocation } from "../../worker/engine/tensorflow/native-binding.js";
import { TEST_ENGINE_STORE } from "./installed-engine.js";
import { ROOT } from "./run-command.js";

/**
 * The native CPU engine: where `ringstrasse engine install cpu` puts it, or where the set-up of the tests has put it; null where the
 * platform can't have one. A test that needs it skips by name.
 */
export async function nativeEngine(): Promise<NativeLocation | null> {
  const ofTests = { ...process.env, ["RINGSTRASSE_ENGINE_DIR"]: TEST_ENGINE_STORE };
  for (const environment of [process.env, ofTests]) {
    const { location } = await locateEngine("tensorflow", { environment, projectDirectory: ROOT });
    if (location !== null) return location;
  }
  return null;
}
