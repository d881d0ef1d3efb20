import type { Finding } from "./finding.js";

const MIB = 2 ** 20;
/** What MPI libraries put there for a few ranks. */
const ENOUGH_BYTES = 64 * MIB;

/**
 * Whether MPI libraries have room in /dev/shm. Ringstrasse's own shared memory doesn't lie there. Pure.
 * @param freeBytes null: there is no /dev/shm
 */
export function judgeSharedMemory(freeBytes: number | null): Finding {
  const check = "shared memory";
  const facts = { freeBytes };
  if (freeBytes === null) {
    return { check, status: "absent", found: "there is no /dev/shm, which only MPI needs", facts, remedy: null };
  }
  const isEnough = freeBytes >= ENOUGH_BYTES;
  const free = `${Math.floor(freeBytes / MIB)} MiB free in /dev/shm`;
  return {
    check,
    status: isEnough ? "ok" : "warning",
    found: isEnough ? free : `${free}: MPI's ranks of one host may fail to exchange through it`,
    facts,
    remedy: isEnough
      ? null
      : "Make it larger (docker --shm-size 1g; in Kubernetes an emptyDir with medium: Memory at /dev/shm), or train without MPI",
  };
}
