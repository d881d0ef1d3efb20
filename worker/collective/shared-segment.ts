import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import koffi from "koffi";
import { describeFailure, RingstrasseError, toFailure } from "../../shared/failure.js";
import type { SegmentPlace } from "../../shared/protocol/control-message.js";

/*
 * Memory that processes of one host share: memfd_create(2), an anonymous file that vanishes with its last user however that ends, so
 * that there are no names to collide and nothing to clean up; other processes of the same user open it as /proc/PID/fd/FD (proc(5)).
 * It is mapped by mmap(2) and seen as an external ArrayBuffer. Not limited by the size of /dev/shm.
 */

/** Before the shared bytes: proves to whoever opens a segment that it is the one that was meant. */
const KEY_BYTES = 32;
/** So that what follows is aligned for any kernel. */
const HEADER_BYTES = 64;
/** Part of the free memory that one segment may take: others need some too. */
const USABLE = 0.8;
const MFD_CLOEXEC = 1;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

interface LinuxCalls {
  memfdCreate(name: string, flags: number): number;
  fallocate(fd: number, mode: number, offset: number, length: number): number;
  mmap(address: null, length: number, protection: number, flags: number, fd: number, offset: number): unknown;
  munmap(address: unknown, length: number): number;
  close(fd: number): number;
}

/** One mapped segment. Once closed its bytes must not be touched: they are no longer there. */
export interface SharedSegment extends Disposable {
  /** Where other processes of this host find it. */
  readonly place: SegmentPlace;
  /** Shared; begins at a multiple of 64. Valid until disposed of. */
  readonly bytes: Uint8Array;
}

/** Why this process can't share memory with others of its host, without final period; null: it can. Never throws. */
export function sharedMemoryProblem(create: typeof createSegment = createSegment): string | null {
  try {
    using own = create(HEADER_BYTES);
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
  const calls = linuxCalls();
  refuseMoreThanThereIs(sizeBytes);
  const fd = calls.memfdCreate("ringstrasse", MFD_CLOEXEC);
  if (fd < 0) throw unavailable("the operating system gives no shared memory (memfd_create)");
  const wholeBytes = HEADER_BYTES + sizeBytes;
  try {
    if (calls.fallocate(fd, 0, 0, wholeBytes) !== 0) {
      throw unavailable(`the machine refuses ${(wholeBytes / 2 ** 20).toFixed(1)} MiB of shared memory`);
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
  const calls = linuxCalls();
  let fd: number;
  try {
    fd = openSync(place.path, "r+");
  } catch (cause) {
    throw unavailable(`the memory of another worker can't be opened (${String(cause)})`, cause);
  }
  try {
    const mapped = map(calls, fd, HEADER_BYTES + place.sizeBytes);
    const key = Buffer.from(mapped.all.slice(0, KEY_BYTES)).toString("hex");
    if (key === place.key) return segment(place, mapped, () => undefined);
    mapped.unmap();
    throw unavailable(
      `${place.path} is not the memory that another worker shares: it is on another host or in another container`,
    );
  } finally {
    closeSync(fd);
  }
}

/** The kernel would look for the memory until it ends other processes. Available means: to this process, its container considered. */
function refuseMoreThanThereIs(sizeBytes: number): void {
  const available = process.availableMemory();
  if (sizeBytes <= available * USABLE) return;
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  throw unavailable(`${mebibytes(sizeBytes)} of shared memory are needed, and ${mebibytes(available)} are free`);
}

interface Mapped {
  readonly all: Uint8Array;
  unmap(): void;
}

function map(calls: LinuxCalls, fd: number, wholeBytes: number): Mapped {
  const address = calls.mmap(null, wholeBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  // MAP_FAILED is the highest address there is.
  if (BigInt.asIntN(64, BigInt(koffi.address(address))) === -1n) {
    throw unavailable("shared memory can't be mapped (mmap)");
  }
  return {
    all: new Uint8Array(koffi.view(address, wholeBytes)),
    unmap: () => {
      calls.munmap(address, wholeBytes);
    },
  };
}

function segment(place: SegmentPlace, { all, unmap }: Mapped, close: () => void): SharedSegment {
  return {
    place,
    bytes: all.subarray(HEADER_BYTES),
    [Symbol.dispose]: () => {
      unmap();
      close();
    },
  };
}

function linuxCalls(): LinuxCalls {
  if (process.platform !== "linux") throw unavailable(`there is no shared memory on ${process.platform} yet`);
  try {
    const libc = koffi.load(null);
    return {
      memfdCreate: libc.func("int memfd_create(const char *name, unsigned int flags)"),
      fallocate: libc.func("int fallocate(int fd, int mode, int64_t offset, int64_t length)"),
      mmap: libc.func("void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)"),
      munmap: libc.func("int munmap(void *address, size_t length)"),
      // Node watches over the files that its own functions opened in a thread, and warns of others that they close.
      close: libc.func("int close(int fd)"),
    };
  } catch (cause) {
    throw unavailable(`the C library can't be called (${String(cause)})`, cause);
  }
}

function unavailable(problem: string, cause?: unknown): RingstrasseError {
  const remedy = "Use --collective ring, which needs no shared memory";
  return new RingstrasseError({ code: "COLLECTIVE_UNAVAILABLE", collective: "shm", problem, remedy }, { cause });
}
