import { readFile } from "node:fs/promises";
import { gpuDevices } from "../../shared/engine-store/gpu-devices.js";
import type { MachineCheck } from "./finding.js";
import { judgeGpus } from "./judge-gpus.js";

/** GPUs that the driver shows, and that this environment leaves. */
export function gpusCheck(environment: NodeJS.ProcessEnv): MachineCheck {
  return async () => {
    const here = await gpuDevices({});
    const visible = await gpuDevices(environment);
    // There only while the driver is loaded.
    const text = await readFile("/proc/driver/nvidia/version", "utf8").catch(() => "");
    const driver = /Kernel Module.*?\s(\d+(?:\.\d+)+)\s/.exec(text)?.[1] ?? null;
    return [judgeGpus({ here, visible, chosen: environment["CUDA_VISIBLE_DEVICES"] ?? null, driver })];
  };
}
