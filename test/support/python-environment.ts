import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/", import.meta.url));
const PACKAGES = ["safetensors==0.5.3", "numpy"];

/**
 * A Python that has the safetensors package of PyPI, made in node_modules/.cache when it isn't there yet.
 * @returns path of its interpreter. @throws when python3 or the package can't be had, saying which.
 */
export async function pythonWithSafetensors(): Promise<string> {
  const environment = join(CACHE, "ringstrasse-test-venv");
  const python = join(environment, "bin", "python");
  if (existsSync(python)) return python;
  // Made under another name first: an installation that was interrupted must not pass for a whole one.
  const unfinished = `${environment}.${process.pid}`;
  await mkdir(dirname(environment), { recursive: true });
  try {
    await run("python3", ["-m", "venv", unfinished]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES];
    await run(join(unfinished, "bin", "python"), pip, { timeout: 150_000 });
    await rename(unfinished, environment);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return python;
}
