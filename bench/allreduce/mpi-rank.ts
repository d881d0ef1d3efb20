/**
 * One rank of `bench/allreduce.ts` under mpirun: `mpi-rank.js ffi|sidecar MODE COUNT:REPETITIONS:WARMUPS…`, the product's collective over
 * MPI. Rank 0 writes a line of `count microseconds wrong` for each size, as the peers do.
 */
import process from "node:process";
import type { MpiBinding, MpiMode } from "../../shared/collective-choice.js";
import { launchedPlace } from "../../shared/launch/launched-place.js";
import { bindMpi } from "../../worker/mpi/bind-mpi.js";
import { settled } from "../../worker/mpi/settled.js";
import { BenchSession } from "./bench-session.js";
import { readSizes } from "./size-plan.js";

const [binding = "", mode = "", ...sizes] = process.argv.slice(2);
const launcher = launchedPlace(process.env)?.launcher;
if (launcher === undefined) throw new Error("mpirun starts this program");
const wish = { binding: binding as MpiBinding, library: null, compiler: null };
const { mpi } = await bindMpi(wish, { launcher, environment: process.env, announce: () => undefined });
const place = {
  rank: mpi.rank,
  ranks: mpi.size,
  collective: "mpi",
  transport: "ipc",
  mpiMode: mode as MpiMode,
  ...({ format: "none", address: "127.0.0.1", encrypt: false } as const),
  mpi,
} as const;
for (const [index, size] of readSizes(sizes).entries()) {
  await using bench = await BenchSession.bind(place, size, index + 1);
  await bench.connect(
    Array.from({ length: mpi.size }, (_, rank) => `mpi://${rank}`),
    [],
  );
  const { microseconds, wrong } = await bench.measure();
  // MPI sums here: each rank's figures in places of their own. Nobody closes its link before all have come so far.
  const figures = new Float64Array(Math.max(2 * mpi.size, 16));
  figures.set([microseconds, wrong], 2 * mpi.rank);
  const summed = new Float64Array(figures.length);
  await settled([mpi.sum(figures, summed)], new AbortController().signal);
  const all = Array.from({ length: mpi.size }, (_, rank) => summed.subarray(2 * rank, 2 * rank + 2));
  const slowest = Math.max(...all.map(([time = 0]) => time));
  const wrongs = all.reduce((sum, [, count = 0]) => sum + count, 0);
  if (mpi.rank === 0) process.stdout.write(`${size.count} ${slowest.toFixed(3)} ${wrongs}\n`);
}
await mpi.finalize();
