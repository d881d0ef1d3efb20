import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import process from "node:process";
import { describeFailure } from "../../shared/describe-failure.js";
import { RingstrasseError, toFailure } from "../../shared/failure.js";
import type { SegmentPlace } from "../../shared/protocol/control-message.js";
import { WINDOW_HEADER_BYTES } from "../../shared/window-layout.js";
import { isMapFailed, type LinuxCalls, linuxCalls, viewOf } from "./linux-calls.js";

/*
 * Memory that processes of one host share: memfd_create(2), an anonymous file that vanishes with its last user however that ends, so
 * that there are no names to collide and nothing to clean up; other processes of the same user open it as /proc/PID/fd/FD (proc(5)).
 * It is mapped by mmap(2). Not limited by the size of /dev/shm.
 */

/** At the beginning of a segment's file: proves to whoever opens it that it is the one that was meant. */
const KEY_BYTES = 32;
/** A window begins with the header of its segment. */
export const SEGMENT_HEADER_BYTES = WINDOW_HEADER_BYTES;
/** Part of the free memory that one segment may take: others need some too. */
const USABLE = 0.8;
const MFD_CLOEXEC = 1;
export const PROT_READ_WRITE = 3;
export const MAP_SHARED = 1;

/** One mapped segment. Once closed its bytes must not be touched: they are no longer there. */
export interface SharedSegment extends Disposable {
  /** Where other processes of this host find it. */
  readonly place: SegmentPlace;
  /** What follows the header. Shared; begins at a multiple of 64. Valid until disposed of. */
  readonly bytes: Uint8Array;
}

/** Why this process can't share memory with others of its host, without final period; null: it can. Never throws. */
export function sharedMemoryProblem(create: typeof createSegment = createSegment): string | null {
  try {
    using own = create(SEGMENT_HEADER_BYTES);
    using again = openSegment(own.place);
    own.bytes[0] = 42;
    return again.bytes[0] === 42 ? null : "what one end of a segment writes does not appear at the other";
  } catch (thrown) {
    const failure = toFailure(thrown);
    return "problem" in failure ? failure.problem : describeFailure(failure);
  }
}

/**
 * New zeroed memory, wholly there: what the machine can't give is refused here and not later by a signal.
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE
 */
export function createSegment(sizeBytes: number): SharedSegment {
  const calls = callsOrUnavailable();
  refuseMoreThanThereIs(sizeBytes);
  const fd = calls.memfdCreate("ringstrasse", MFD_CLOEXEC);
  if (fd < 0) throw sharedMemoryUnavailable("the operating system gives no shared memory (memfd_create)");
  const wholeBytes = SEGMENT_HEADER_BYTES + sizeBytes;
  try {
    if (calls.fallocate(fd, 0, 0, wholeBytes) !== 0) {
      throw sharedMemoryUnavailable(`the machine refuses ${(wholeBytes / 2 ** 20).toFixed(1)} MiB of shared memory`);
    }
    const mapped = map(calls, fd, wholeBytes);
    const key = randomBytes(KEY_BYTES);
    mapped.all.set(key);
    const place = { path: `/proc/${process.pid}/fd/${fd}`, sizeBytes, key: key.toString("hex") };
    return segment(place, mapped, () => calls.close(fd));
  } catch (cause) {
    calls.close(fd);
    throw cause;
  }
}

/** Another process's segment. @throws RingstrasseError COLLECTIVE_UNAVAILABLE when it can't be had, or is another one */
export function openSegment(place: SegmentPlace): SharedSegment {
  return withSegmentFile(place, (calls, fd) =>
    segment(place, map(calls, fd, SEGMENT_HEADER_BYTES + place.sizeBytes), () => undefined),
  );
}

/**
 * What `use` makes of the open file of a segment, which is closed afterwards; what it has mapped stays.
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE when there is no such file, or it is another one
 */
export function withSegmentFile<T>(place: SegmentPlace, use: (calls: LinuxCalls, fd: number) => T): T {
  const calls = callsOrUnavailable();
  const fd = openFile(place);
  try {
    if (keyIn(fd) === place.key) return use(calls, fd);
    throw sharedMemoryUnavailable(
      `${place.path} is not the memory that another worker shares: it is on another host or in another container`,
    );
  } finally {
    closeSync(fd);
  }
}

function openFile({ path }: SegmentPlace): number {
  try {
    return openSync(path, "r+");
  } catch (cause) {
    throw sharedMemoryUnavailable(`the memory of another worker can't be opened (${String(cause)})`, cause);
  }
}

/** What lies where a segment's key does, in hex; null: nothing can be read there, as from a pipe or a folder. */
function keyIn(fd: number): string | null {
  const key = Buffer.alloc(KEY_BYTES);
  try {
    readSync(fd, key, 0, KEY_BYTES, 0);
  } catch {
    return null;
  }
  return key.toString("hex");
}

export function sharedMemoryUnavailable(problem: string, cause?: unknown): RingstrasseError {
  const remedy = "Use --collective ring, which needs no shared memory";
  return new RingstrasseError({ code: "COLLECTIVE_UNAVAILABLE", collective: "shm", problem, remedy }, { cause });
}

/** The kernel would look for the memory until it ends other processes. Available means: to this process, its container considered. */
function refuseMoreThanThereIs(sizeBytes: number): void {
  const available = process.availableMemory();
  if (sizeBytes <= available * USABLE) return;
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  throw sharedMemoryUnavailable(
    `${mebibytes(sizeBytes)} of shared memory are needed, and ${mebibytes(available)} are free`,
  );
}

interface Mapped {
  readonly all: Uint8Array;
  unmap(): void;
}

function map(calls: LinuxCalls, fd: number, wholeBytes: number): Mapped {
  const address = calls.mmap(null, wholeBytes, PROT_READ_WRITE, MAP_SHARED, fd, 0);
  if (isMapFailed(address)) throw sharedMemoryUnavailable("shared memory can't be mapped (mmap)");
  return {
    all: viewOf(address, wholeBytes),
    unmap: () => {
      calls.munmap(address, wholeBytes);
    },
  };
}

function segment(place: SegmentPlace, { all, unmap }: Mapped, close: () => void): SharedSegment {
  return {
    place,
    bytes: all.subarray(SEGMENT_HEADER_BYTES),
    [Symbol.dispose]: () => {
      unmap();
      close();
    },
  };
}

function callsOrUnavailable(): LinuxCalls {
  try {
    return linuxCalls();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw sharedMemoryUnavailable(`the C library can't be called: ${why}`, cause);
  }
}
