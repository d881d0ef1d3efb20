import process from "node:process";
import koffi from "koffi";

/** `syscall(2)` numbers of `futex(2)`, which the C library has no function for. */
const FUTEX_NUMBER: Partial<Record<string, number>> = { x64: 202, arm64: 98 };

/** The functions of the C library that processes of one host share memory by, and a pipe. Pointers are typed arrays, or what `mmap` gave. */
export interface LinuxCalls {
  memfdCreate(name: string, flags: number): number;
  fallocate(fd: number, mode: number, offset: number, length: number): number;
  mmap(
    address: Uint8Array | null,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): unknown;
  munmap(address: unknown, length: number): number;
  close(fd: number): number;
  /** @param fds takes the end to read from and the one to write to */
  pipe2(fds: Int32Array, flags: number): number;
  /** Lets another thread or process have this core, if one waits for it. */
  schedYield(): number;
  /** @param timeout seconds and nanoseconds; null: none */
  futex(word: Int32Array, operation: number, value: number, timeout: BigInt64Array | null): number;
}

/** @throws Error, without final period, where the C library has none of them */
export function linuxCalls(): LinuxCalls {
  const number = FUTEX_NUMBER[process.arch];
  if (process.platform !== "linux" || number === undefined) {
    throw new Error(`there is no shared memory on ${process.platform} ${process.arch} yet`);
  }
  const libc = koffi.load(null);
  const syscall = libc.func(
    "long syscall(long number, void *word, int operation, uint32_t value, void *timeout, void *other, uint32_t bits)",
  );
  return {
    memfdCreate: libc.func("int memfd_create(const char *name, unsigned int flags)"),
    fallocate: libc.func("int fallocate(int fd, int mode, int64_t offset, int64_t length)"),
    mmap: libc.func("void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)"),
    munmap: libc.func("int munmap(void *address, size_t length)"),
    // Node watches over the files that its own functions opened in a thread, and warns of others that they close.
    close: libc.func("int close(int fd)"),
    pipe2: libc.func("int pipe2(void *fds, int flags)"),
    schedYield: libc.func("int sched_yield()"),
    futex: (word, operation, value, timeout) => syscall(number, word, operation, value, timeout, null, 0),
  };
}

/** What `mmap` gives when it fails: the highest address there is. */
export function isMapFailed(address: unknown): boolean {
  return BigInt.asIntN(64, BigInt(koffi.address(address))) === -1n;
}

/** `sizeBytes` bytes from an address that `mmap` gave, valid while they are mapped. */
export function viewOf(address: unknown, sizeBytes: number): Uint8Array {
  return new Uint8Array(koffi.view(address, sizeBytes));
}
