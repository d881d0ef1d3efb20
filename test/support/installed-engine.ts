import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { locateEngine } from "../../shared/engine-store/locate-engine.js";
import { ROOT } from "./run-command.js";

const HAS_COMPILER = ["/usr/bin/g++", "/usr/bin/clang++", "/usr/bin/c++"].some((path) => existsSync(path));

/** Whether this platform can have the engine `tensorflow`; a test that needs it skips by name where it can't. */
export const CAN_HAVE_ENGINE = `${process.platform}-${process.arch}` === "linux-x64" && HAS_COMPILER;
export const NEEDS_ENGINE = "needs linux-x64, g++ and the package registries; fetches 230 MB once";

/** Survives `npm test`, so that a clone fetches it once; `npm ci` takes it away. */
export const TEST_ENGINE_STORE = join(ROOT, "node_modules/.cache/ringstrasse/engines");

/** An installation's time limit; to be given to the hook that calls {@link installedEngine}. */
export const INSTALL_MS = 900_000;

/**
 * The engine `tensorflow`, whole: the user's own, else one for the tests, which is installed if need be.
 * @returns environment variables with which commands find it
 * @throws with what the installation said
 */
export async function installedEngine(): Promise<Record<string, string>> {
  const own = await locateEngine("tensorflow", { environment: process.env, projectDirectory: ROOT });
  if (own.location?.origin === "store") return {};
  const env = { ["RINGSTRASSE_ENGINE_DIR"]: TEST_ENGINE_STORE };
  const tests = await locateEngine("tensorflow", { environment: env, projectDirectory: ROOT });
  if (tests.location?.origin === "store") return env;
  // Repairs one that is damaged, goes on with one that was interrupted.
  const command = [join(ROOT, "dist/ringstrasse.js"), "engine", "install", "cpu"];
  await promisify(execFile)(process.execPath, command, { env: { ...process.env, ...env }, timeout: INSTALL_MS });
  return env;
}
