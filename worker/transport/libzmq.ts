import { createRequire } from "node:module";
import koffi from "koffi";

/** An address that the library gave. */
export type Handle = unknown;
/** Of an option. */
export type Bytes = Uint8Array | Int32Array | BigInt64Array;

/** Of `zmq_msg_t` and `zmq_pollitem_t`: fixed by ZeroMQ's interface. */
export const MESSAGE_BYTES = 64;
export const POLL_ITEM_BYTES = 16;

/**
 * The functions of libzmq 4 itself, in the library that the package `zeromq` brings along: https://libzmq.readthedocs.io. Whatever fails
 * gives −1 (or null), and `errno` says why.
 */
export interface Libzmq {
  newContext(): Handle;
  /** Waits until the context's sockets, all closed before, have let go of their messages. */
  endContext(context: Handle): number;
  socket(context: Handle, type: number): Handle;
  close(socket: Handle): number;
  setOption(socket: Handle, option: number, value: Bytes, sizeBytes: number): number;
  getOption(socket: Handle, option: number, value: Bytes, sizeBytes: BigUint64Array): number;
  bind(socket: Handle, endpoint: string): number;
  connect(socket: Handle, endpoint: string): number;
  /** What happens to the socket's connections can be received from now on, at an `inproc:` endpoint; null: no longer. @param events one bit each */
  monitor(socket: Handle, endpoint: string | null, events: number): number;
  /** Sends a copy. */
  send(socket: Handle, bytes: Uint8Array, sizeBytes: number, flags: number): number;
  /** Makes a message of bytes that stay where they are and that nobody frees: `free` and `hint` are null. */
  initMessage(message: Uint8Array, bytes: Uint8Array, sizeBytes: number, free: null, hint: null): number;
  initEmptyMessage(message: Uint8Array): number;
  sendMessage(message: Uint8Array, socket: Handle, flags: number): number;
  /** @returns its size in bytes */
  receiveMessage(message: Uint8Array, socket: Handle, flags: number): number;
  dataOf(message: Uint8Array): Handle;
  hasMore(message: Uint8Array): number;
  closeMessage(message: Uint8Array): number;
  /** @param items `count` of `zmq_pollitem_t` */
  poll(items: Uint8Array, count: number, timeoutMs: number): number;
  errno(): number;
  /** `setsockopt` of the C library, on a socket of the system. */
  setSystemOption(fd: number, level: number, option: number, value: Int32Array, sizeBytes: number): number;
  describe(errno: number): string;
  /** `memcpy` of the C library. */
  copy(to: Uint8Array, from: Handle, sizeBytes: number): unknown;
  addressOf(handle: Handle): bigint;
}

/** @throws Error where the package's library can't be called: it exports these functions on Linux, not everywhere */
export function loadLibzmq(): Libzmq {
  const require = createRequire(import.meta.url);
  // Only the package knows which of its builds is for this system: loading it tells.
  require("zeromq");
  const file = Object.keys(require.cache).find((path) => /[\\/]zeromq[\\/].*\.node$/.test(path));
  if (file === undefined) throw new Error("the package zeromq has loaded no library");
  const library = koffi.load(file);
  const call = (prototype: string) => library.func(prototype);
  const libc = koffi.load(null);
  return {
    newContext: call("void *zmq_ctx_new()"),
    endContext: call("int zmq_ctx_term(void *context)"),
    socket: call("void *zmq_socket(void *context, int type)"),
    close: call("int zmq_close(void *socket)"),
    setOption: call("int zmq_setsockopt(void *socket, int option, const void *value, size_t size)"),
    getOption: call("int zmq_getsockopt(void *socket, int option, void *value, void *size)"),
    bind: call("int zmq_bind(void *socket, const char *endpoint)"),
    connect: call("int zmq_connect(void *socket, const char *endpoint)"),
    monitor: call("int zmq_socket_monitor(void *socket, const char *endpoint, int events)"),
    send: call("int zmq_send(void *socket, const void *bytes, size_t size, int flags)"),
    initMessage: call("int zmq_msg_init_data(void *message, void *data, size_t size, void *free, void *hint)"),
    initEmptyMessage: call("int zmq_msg_init(void *message)"),
    sendMessage: call("int zmq_msg_send(void *message, void *socket, int flags)"),
    receiveMessage: call("int zmq_msg_recv(void *message, void *socket, int flags)"),
    dataOf: call("void *zmq_msg_data(void *message)"),
    hasMore: call("int zmq_msg_more(const void *message)"),
    closeMessage: call("int zmq_msg_close(void *message)"),
    poll: call("int zmq_poll(void *items, int count, long timeout)"),
    errno: call("int zmq_errno()"),
    describe: call("const char *zmq_strerror(int number)"),
    setSystemOption: libc.func("int setsockopt(int fd, int level, int option, const void *value, unsigned int size)"),
    copy: libc.func("void *memcpy(void *to, const void *from, size_t size)"),
    addressOf: (handle) => BigInt(koffi.address(handle)),
  };
}
