import koffi from "koffi";
import { prepareOpenMpiEnvironment } from "../config/open-mpi-environment.js";
import { prepareUcxEnvironment } from "../config/ucx-environment.js";
import { libraryVersion } from "./library-version.js";
import type { Mpi, MpiRequest } from "./mpi.js";
import type { MpiAbi } from "./mpi-abi.js";
import { mpiUnavailable } from "./mpi-failure.js";
import { MPICH_ABI } from "./mpich-abi.js";
import { OPEN_MPI_SYMBOL, openMpiAbi } from "./open-mpi-abi.js";

/** `MPI_THREAD_SERIALIZED`: the main thread begins and ends, the communication thread does all between, never both at once. */
const THREAD_SERIALIZED = 2;
/** More than any implementation's `MPI_MAX_LIBRARY_VERSION_STRING` and `MPI_MAX_ERROR_STRING`. */
const TEXT_BYTES = 8192;
/** Larger than a request of any implementation. */
const REQUEST_BYTES = 8;
const SUCCESS = 0;

type Call = (...parameters: unknown[]) => number;
type Library = ReturnType<typeof koffi.load>;
type MpiFunctions = ReturnType<typeof bind>;

/**
 * Begins MPI in this process. Once in its life, in the main thread, which will end it too.
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE when the library can't be had, or lacks what is needed
 */
export function beginMpi(file: string): Mpi {
  prepareUcxEnvironment();
  prepareOpenMpiEnvironment();
  const { functions, abi } = load(file);
  const provided = new Int32Array(1);
  check(functions, "MPI_Init_thread", functions.initThread(null, null, THREAD_SERIALIZED, provided));
  const [level = 0] = provided;
  if (level < THREAD_SERIALIZED) {
    const problem = `${file} lets only the main thread call it (thread level ${level})`;
    throw mpiUnavailable(problem, "Give --mpi-binding sidecar, or use an MPI that was built with thread support");
  }
  check(functions, "MPI_Comm_set_errhandler", functions.setErrorHandler(abi.world, abi.errorsReturn));
  return new LibraryMpi(functions, abi);
}

/** MPI for another thread of a process in which it has begun. @throws RingstrasseError COLLECTIVE_UNAVAILABLE */
export function attachLibrary(file: string): Mpi {
  const { functions, abi } = load(file);
  const flag = new Int32Array(1);
  check(functions, "MPI_Initialized", functions.initialized(flag));
  if (flag[0] === 0) throw mpiUnavailable("MPI was not begun in this process", "Start it by mpirun");
  return new LibraryMpi(functions, abi);
}

/**
 * What a library of MPI calls itself, without beginning MPI; which a library may be asked before.
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE as {@link beginMpi}
 */
export function describeMpi(file: string): { readonly family: MpiAbi["name"]; readonly version: string } {
  prepareUcxEnvironment();
  const { functions, abi } = load(file);
  return { family: abi.name, version: versionOf(functions) };
}

function load(file: string): { readonly functions: MpiFunctions; readonly abi: MpiAbi } {
  let library: Library;
  try {
    // Global: Open MPI's plug-ins look for its symbols in the process as a whole.
    library = koffi.load(file, { global: true });
  } catch (cause) {
    const remedy =
      "Install the MPI that launched this (Debian: openmpi-bin with libopenmpi3, or mpich with libmpich12), name its library by --mpi-library, or give --mpi-binding sidecar";
    throw mpiUnavailable(`${file} can't be loaded (${messageOf(cause)})`, remedy, cause);
  }
  try {
    const abi = hasSymbol(library, OPEN_MPI_SYMBOL) ? openMpiAbi((name) => addressOf(library, name)) : MPICH_ABI;
    const functions = bind(library, abi.handleType);
    refuseStrangers(file, abi, versionOf(functions));
    return { functions, abi };
  } catch (cause) {
    const remedy =
      "Name the library of an Open MPI of version 3 or later, or of an MPICH or Intel MPI, by --mpi-library, or give --mpi-binding sidecar";
    throw mpiUnavailable(`${file} is not an MPI that can be used here (${messageOf(cause)})`, remedy, cause);
  }
}

/** Numbers would be taken for objects, or the reverse, in a library that follows neither header. */
function refuseStrangers(file: string, { name }: MpiAbi, version: string): void {
  const known = name === "Open MPI" ? /^Open MPI/ : /MPICH|Intel\(R\) MPI|MVAPICH/;
  if (!known.test(version)) throw new TypeError(`${file} calls itself "${version}"`);
}

function bind(library: Library, handle: MpiAbi["handleType"]) {
  const call = (prototype: string): Call => library.func(prototype);
  return {
    initThread: call("int MPI_Init_thread(void *count, void *arguments, int required, void *provided)"),
    initialized: call("int MPI_Initialized(void *flag)"),
    finalize: call("int MPI_Finalize()"),
    libraryVersion: call("int MPI_Get_library_version(void *text, void *length)"),
    errorString: call("int MPI_Error_string(int code, void *text, void *length)"),
    setErrorHandler: call(`int MPI_Comm_set_errhandler(${handle} communicator, ${handle} handler)`),
    rank: call(`int MPI_Comm_rank(${handle} communicator, void *rank)`),
    size: call(`int MPI_Comm_size(${handle} communicator, void *size)`),
    send: call(
      `int MPI_Isend(void *bytes, int count, ${handle} type, int to, int tag, ${handle} communicator, void *request)`,
    ),
    receive: call(
      `int MPI_Irecv(void *bytes, int count, ${handle} type, int from, int tag, ${handle} communicator, void *request)`,
    ),
    broadcast: call(
      `int MPI_Ibcast(void *bytes, int count, ${handle} type, int root, ${handle} communicator, void *request)`,
    ),
    sum: call(
      `int MPI_Iallreduce(void *from, void *to, int count, ${handle} type, ${handle} operation, ${handle} communicator, void *request)`,
    ),
    test: call("int MPI_Test(void *request, void *flag, void *status)"),
    cancel: call("int MPI_Cancel(void *request)"),
    freeRequest: call("int MPI_Request_free(void *request)"),
  };
}

class LibraryMpi implements Mpi {
  readonly version: string;
  readonly rank: number;
  readonly size: number;
  readonly #functions: MpiFunctions;
  readonly #abi: MpiAbi;

  constructor(functions: MpiFunctions, abi: MpiAbi) {
    this.#functions = functions;
    this.#abi = abi;
    this.version = versionOf(functions);
    const number = new Int32Array(1);
    check(functions, "MPI_Comm_rank", functions.rank(abi.world, number));
    this.rank = number[0] ?? 0;
    check(functions, "MPI_Comm_size", functions.size(abi.world, number));
    this.size = number[0] ?? 0;
  }

  send(bytes: Uint8Array, to: number, tag: number): MpiRequest {
    const { byte, world } = this.#abi;
    return this.#begin("MPI_Isend", bytes, (request) =>
      this.#functions.send(bytes, bytes.byteLength, byte, to, tag, world, request),
    );
  }

  receive(into: Uint8Array, from: number, tag: number): MpiRequest {
    const { byte, world } = this.#abi;
    return this.#begin("MPI_Irecv", into, (request) =>
      this.#functions.receive(into, into.byteLength, byte, from, tag, world, request),
    );
  }

  broadcast(bytes: Uint8Array, root: number): MpiRequest {
    const { byte, world } = this.#abi;
    return this.#begin("MPI_Ibcast", bytes, (request) =>
      this.#functions.broadcast(bytes, bytes.byteLength, byte, root, world, request),
    );
  }

  sum<Numbers extends Float32Array | Float64Array>(values: Numbers, into: Numbers): MpiRequest {
    const { float32, float64, sum, world } = this.#abi;
    const type = values instanceof Float32Array ? float32 : float64;
    const begin = (request: Uint8Array): number =>
      this.#functions.sum(values, into, values.length, type, sum, world, request);
    return this.#begin("MPI_Iallreduce", [values, into], begin);
  }

  finalize(): Promise<void> {
    return new Promise((resolve) => {
      check(this.#functions, "MPI_Finalize", this.#functions.finalize());
      resolve();
    });
  }

  #begin(name: string, memory: MpiMemory, call: (request: Uint8Array) => number): MpiRequest {
    const request = new Uint8Array(REQUEST_BYTES);
    check(this.#functions, name, call(request));
    return new LibraryRequest(this.#functions, this.#abi, { request, memory });
  }
}

/** What MPI reads and writes. */
type MpiMemory = ArrayBufferView | readonly ArrayBufferView[];

class LibraryRequest implements MpiRequest {
  readonly #functions: MpiFunctions;
  readonly #abi: MpiAbi;
  /** The request itself, as C sees it. */
  readonly #request: Uint8Array;
  /** Held, so that it is not collected while MPI reads or writes it; null: done. */
  #memory: MpiMemory | null;
  readonly #flag = new Int32Array(1);

  constructor(functions: MpiFunctions, abi: MpiAbi, of: { readonly request: Uint8Array; readonly memory: MpiMemory }) {
    this.#functions = functions;
    this.#abi = abi;
    this.#request = of.request;
    this.#memory = of.memory;
  }

  isDone(): boolean {
    if (this.#memory === null) return true;
    check(this.#functions, "MPI_Test", this.#functions.test(this.#request, this.#flag, this.#abi.statusIgnore));
    if (this.#flag[0] === 0) return false;
    this.#memory = null;
    return true;
  }

  abandon(): void {
    check(this.#functions, "MPI_Cancel", this.#functions.cancel(this.#request));
    check(this.#functions, "MPI_Request_free", this.#functions.freeRequest(this.#request));
  }
}

function check(functions: MpiFunctions, name: string, code: number): void {
  if (code === SUCCESS) return;
  const text = textOf((into, length) => functions.errorString(code, into, length));
  throw mpiUnavailable(`${name}: ${text}`, "See what mpirun and the host of this rank say");
}

function versionOf(functions: MpiFunctions): string {
  return libraryVersion(textOf((into, length) => functions.libraryVersion(into, length)));
}

function textOf(write: (into: Uint8Array, length: Int32Array) => number): string {
  const [text, length] = [Buffer.alloc(TEXT_BYTES), new Int32Array(1)];
  return write(text, length) === SUCCESS ? text.toString("utf8", 0, length[0]) : "it can't say what";
}

function hasSymbol(library: Library, name: string): boolean {
  try {
    library.symbol(name, "char");
    return true;
  } catch {
    // The one way to ask.
    return false;
  }
}

function addressOf(library: Library, name: string): bigint {
  return BigInt(koffi.address(library.symbol(name, "char")));
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
