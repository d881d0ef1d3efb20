import { readFile } from "node:fs/promises";
import { isSystemError } from "../write-failure.js";

/** Instruction set extensions of this machine's processor, e.g. `avx2`; empty where the system doesn't tell. */
export async function processorFlags(): Promise<ReadonlySet<string>> {
  const line = /^flags\s*:(.*)$/m.exec(await processorDescription())?.[1] ?? "";
  return new Set(
    line
      .trim()
      .split(/\s+/)
      .filter((flag) => flag !== ""),
  );
}

async function processorDescription(): Promise<string> {
  try {
    return await readFile("/proc/cpuinfo", "utf8");
  } catch (cause) {
    if (isSystemError(cause)) return "";
    throw cause;
  }
}
