import { readdir } from "node:fs/promises";
import { isSystemError } from "../write-failure.js";
import type { EnvironmentVariables } from "./engine-directory.js";

/**
 * The NVIDIA GPUs that a process with this environment may use, as `CUDA_VISIBLE_DEVICES` names them: those that it lists, else the numbers
 * of those that the driver shows under `/dev`. Whether they work is found out by using them.
 * @throws system errors other than a missing directory
 */
export async function gpuDevices(environment: EnvironmentVariables, deviceDirectory = "/dev"): Promise<string[]> {
  const here = await driverDevices(deviceDirectory);
  const chosen = environment["CUDA_VISIBLE_DEVICES"];
  if (chosen === undefined || here.length === 0) return here;
  const names = chosen.split(",").map((name) => name.trim());
  // CUDA reads up to the first name that it doesn't know; -1 stands for none.
  const end = names.findIndex((name) => name === "" || name.startsWith("-"));
  return end === -1 ? names : names.slice(0, end);
}

/** CUDA counts the devices that a process can reach, whatever their files are called: a container's only one, `/dev/nvidia3`, is its GPU 0. */
async function driverDevices(directory: string): Promise<string[]> {
  try {
    const names = await readdir(directory);
    const devices = names.filter((name) => /^nvidia\d+$/.test(name));
    // Of a Linux inside Windows: one device stands for all.
    if (devices.length === 0 && names.includes("dxg")) return ["0"];
    return devices.map((_, position) => String(position));
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return [];
    throw cause;
  }
}
