import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../write-failure.js";

const DRIVER_DIRECTORY = "/proc/driver/nvidia/gpus";

/** The kinds of NVIDIA GPUs that the driver shows here, e.g. `NVIDIA H200`, each once, in the order of their names; empty where it doesn't tell. */
export async function gpuModels(directory = DRIVER_DIRECTORY): Promise<string[]> {
  const models = new Set<string>();
  for (const bus of await namesIn(directory)) {
    const text = await readFile(join(directory, bus, "information"), "utf8").catch(absent);
    const model = /^Model:[ \t]*(\S.*?)[ \t]*$/m.exec(text ?? "")?.[1];
    if (model !== undefined) models.add(model);
  }
  return [...models].sort();
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return (await readdir(directory).catch(absent)) ?? [];
}

/** @throws whatever isn't a system error */
function absent(cause: unknown): null {
  if (isSystemError(cause)) return null;
  throw cause;
}
