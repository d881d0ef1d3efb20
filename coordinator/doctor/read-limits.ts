import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSystemError } from "../../shared/write-failure.js";

/** What the control groups of this process leave it; null: no limit is known. */
export interface CgroupLimits {
  /** Processors' worth of time, e.g. 1.5. */
  readonly cpus: number | null;
  readonly memoryBytes: number | null;
}

export interface CgroupPlaces {
  readonly membership: string;
  readonly hierarchy: string;
}

const PLACES: CgroupPlaces = { membership: "/proc/self/cgroup", hierarchy: "/sys/fs/cgroup" };
/** Version 1 writes such a number where there is no limit. */
const BOUNDLESS_BYTES = 2 ** 60;

/**
 * The tightest limits of this process's control group and of those around it, by cgroups(7): version 2, and version 1 where that is what
 * there is. Systems without control groups have none.
 */
export async function readCgroupLimits(places: CgroupPlaces = PLACES): Promise<CgroupLimits> {
  const lines = (await textOf(places.membership)).split("\n").map((line) => line.split(":"));
  const cpus: number[] = [];
  const bytes: number[] = [];
  for (const [, controllers = "", ...rest] of lines) {
    const path = rest.join(":");
    if (path === "") continue;
    const isUnified = controllers === "";
    for (const folder of upwards(path)) {
      const at = (controller: string, file: string) =>
        textOf(join(places.hierarchy, isUnified ? "" : controller, folder, file));
      if (isUnified) {
        cpus.push(...quota(...split(await at("", "cpu.max"))));
        bytes.push(...limit(await at("", "memory.max")));
      }
      if (controllers.split(",").includes("cpu")) {
        cpus.push(...quota(await at(controllers, "cpu.cfs_quota_us"), await at(controllers, "cpu.cfs_period_us")));
      }
      if (controllers === "memory") bytes.push(...limit(await at("memory", "memory.limit_in_bytes")));
    }
  }
  return { cpus: smallest(cpus), memoryBytes: smallest(bytes) };
}

/** `/a/b` → /a/b, /a, / */
function upwards(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...upwards(above)];
}

function split(text: string): [string, string] {
  const [quotaUs = "", periodUs = ""] = text.trim().split(" ");
  return [quotaUs, periodUs];
}

/** Words such as `max` and version 1's -1 are no limit. */
function quota(quotaUs: string, periodUs: string): number[] {
  const [time, period] = [Number(quotaUs.trim() || Number.NaN), Number(periodUs.trim() || Number.NaN)];
  return time > 0 && period > 0 ? [time / period] : [];
}

function limit(text: string): number[] {
  const bytes = Number(text.trim() || Number.NaN);
  return bytes < BOUNDLESS_BYTES ? [bytes] : [];
}

function smallest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

/** Empty where there is no such file, or it is hidden from this user. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (isSystemError(cause)) return "";
    throw cause;
  }
}
