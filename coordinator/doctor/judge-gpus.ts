import type { Finding } from "./finding.js";

export interface GpuFacts {
  /** That the driver shows, by number as CUDA counts them. */
  readonly here: readonly string[];
  /** That CUDA_VISIBLE_DEVICES leaves of them, as it names them. */
  readonly visible: readonly string[];
  /** Of CUDA_VISIBLE_DEVICES; null: not set. */
  readonly chosen: string | null;
  /** Version of NVIDIA's driver; null: unknown. */
  readonly driver: string | null;
}

/** Which GPUs processes of this environment may use; whether they work is found out with the engine. Pure. */
export function judgeGpus({ here, visible, chosen, driver }: GpuFacts): Finding {
  const check = "GPUs";
  const facts = { here: here.length, visible: visible.length, chosen, driver };
  const version = driver === null ? "" : `, driver ${driver}`;
  if (here.length === 0) {
    if (driver !== null) {
      const found = `the driver ${driver} is loaded, but it shows no GPU under /dev`;
      const remedy =
        "Give the container its devices (docker --gpus all, nvidia.com/gpu in Kubernetes, --gres under Slurm)";
      return { check, status: "warning", found, facts, remedy };
    }
    return { check, status: "absent", found: "no NVIDIA GPU", facts, remedy: null };
  }
  const unknown = visible.filter((name) => /^\d+$/.test(name) && !here.includes(name));
  const counted = here.length === 1 ? "1 GPU" : `${here.length} GPUs`;
  if (unknown.length > 0) {
    const found = `CUDA_VISIBLE_DEVICES is "${chosen}", and here ${here.length === 1 ? "is" : "are"} ${counted}: ${here.join(", ")}`;
    return { check, status: "problem", found, facts, remedy: "Unset it, or name numbers that are here" };
  }
  if (visible.length === 0) {
    const found = `${counted}${version}, hidden by CUDA_VISIBLE_DEVICES="${chosen}"`;
    return { check, status: "warning", found, facts, remedy: "Unset it, if they are to be used" };
  }
  const found = visible.length === here.length ? `${counted}${version}` : `${visible.length} of ${counted}${version}`;
  return { check, status: "ok", found, facts, remedy: null };
}
