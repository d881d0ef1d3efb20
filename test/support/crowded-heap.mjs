/**
 * A process whose heap can't grow, as it is by chance now and then, begins MPI: `mpirun -np N node crowded-heap.mjs LIBRARY
 * MPI-LIBRARY-MODULE`. Prints whether the heap is as long as before.
 */
import process from "node:process";
import koffi from "koffi";

const PAGE_BYTES = 4096;
const PROT_NONE = 0;
const MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x2 | 0x20 | 0x100000;
const [, , library = "", module = ""] = process.argv;
const { beginMpi } = await import(module);
const libc = koffi.load(null);
const sbrk = libc.func("intptr_t sbrk(intptr_t bytes)");
const mmap = libc.func(
  "intptr_t mmap(intptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)",
);
const end = sbrk(0);
const behind = mmap(end, PAGE_BYTES, PROT_NONE, MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE, -1, 0);
// Taken already: as crowded.
if (behind !== end && behind !== -1 && behind !== -1n) throw new Error(`the page behind the heap is at ${behind}`);
const mpi = beginMpi(library);
process.stdout.write(`${sbrk(0) < end ? "shorter" : "kept"}\n`);
mpi.finalize();
