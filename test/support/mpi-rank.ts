/**
 * One rank of a conformance run: `mpirun -np N node mpi-rank.js ffi|sidecar|mixed RESULT-FOLDER`. Leaves `RANK.json` with what it found wrong:
 * nothing, if all is well.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { MPI_BINDINGS, type MpiBinding } from "../../shared/collective-choice.js";
import { arcOf } from "../../shared/epoch-plan.js";
import { launchedPlace } from "../../shared/launch/launched-place.js";
import { bindMpi } from "../../worker/mpi/bind-mpi.js";
import type { Mpi } from "../../worker/mpi/mpi.js";
import { MpiRingTransport } from "../../worker/transport/mpi-ring-transport.js";
import { contribute, createWorker, type GroupShape, referenceTotals, totalsOf } from "./exchange-group.js";
import { firstDifference } from "./reference-fold.js";

export interface RankReport {
  readonly version: string;
  readonly size: number;
  /** How many exchanges and frames were looked at. */
  readonly checked: number;
  readonly wrong: readonly string[];
}

const never = new AbortController().signal;
const MOST_REPLICAS = 8;
const EXCHANGES = [true, true, false, true, true, false, false, true];
const [, , binding = "", folder = ""] = process.argv;
const place = launchedPlace(process.env);
const mpi = await begin(bindingOf(place?.rank ?? 0));
const wrong: string[] = [];
let checked = 0;
let generation = 0;

/** `mixed`: every other rank by a sidecar, as where hosts differ. */
function bindingOf(rank: number): MpiBinding {
  if (binding === "mixed") return rank % 2 === 0 ? "sidecar" : "ffi";
  return MPI_BINDINGS.find((name) => name === binding) ?? "auto";
}

async function begin(wished: MpiBinding): Promise<Mpi> {
  const launcher = place?.launcher;
  if (launcher === undefined) throw new Error("mpirun starts this program");
  const around = { launcher, environment: process.env, announce: () => undefined };
  return (await bindMpi({ binding: wished, library: null, compiler: null }, around)).mpi;
}

function expectThat(isSo: boolean, what: string): void {
  checked += 1;
  if (!isSo) wrong.push(what);
}

function openLink(): MpiRingTransport {
  generation += 1;
  const link = new MpiRingTransport({ mpi, generation });
  link.connect(`mpi://${(mpi.rank + 1) % mpi.size}`);
  return link;
}

async function exchangeAll(shape: GroupShape, exchanges: readonly boolean[]): Promise<void> {
  const transport = mpi.size === 1 ? null : openLink();
  const worker = await createWorker({ ...shape, rank: mpi.rank, transport, mpi: { mpi, mode: "ordered" } });
  for (const [sequence, withArena] of exchanges.entries()) {
    const exchange = { sequence, withArena };
    contribute(worker, shape, exchange);
    await worker.collective.allReduce(exchange, never);
    const [totals, reference] = [totalsOf(worker, shape, exchange), referenceTotals(shape, sequence)];
    const where = `${JSON.stringify(shape)}, exchange ${sequence}`;
    expectThat(firstDifference(totals.scalarSums, reference.scalarSums) === -1, `scalars of ${where}`);
    if (withArena) expectThat(firstDifference(totals.sums, reference.sums) === -1, `sums of ${where}`);
    // By contract nobody reads the set of the exchange before any more.
    const older = totalsOf(worker, shape, { sequence: sequence + 1, withArena });
    older.sums.fill(Number.NaN);
    older.scalarSums.fill(Number.NaN);
  }
  await barrier();
  await transport?.[Symbol.asyncDispose]();
}

/** Whole numbers small enough that every order gives the same sum, with NaN and infinity among them. */
async function sumAll(shape: GroupShape): Promise<void> {
  if (mpi.size === 1) return;
  const transport = openLink();
  const worker = await createWorker({ ...shape, rank: mpi.rank, transport, mpi: { mpi, mode: "allreduce" } });
  const elementOf = (replica: number, index: number, sequence: number): number =>
    index % 97 === 5 && replica === 1
      ? index % 2 === 0
        ? Number.NaN
        : Number.POSITIVE_INFINITY
      : ((index * 7 + replica * 13 + sequence) % 1021) - 500;
  const arc = arcOf(mpi.rank, mpi.size, shape.replicas);
  for (let sequence = 0; sequence < 3; sequence++) {
    for (const [local, address] of worker.buffers.gradients.entries()) {
      const values = worker.memory.float32(address, shape.paddedLength);
      for (let index = 0; index < values.length; index++) values[index] = elementOf(arc.from + local, index, sequence);
    }
    for (const address of worker.buffers.scalars) worker.memory.float64(address, shape.scalarCount).fill(0.5);
    await worker.collective.allReduce({ sequence, withArena: true }, never);
    const { sums, scalarSums } = totalsOf(worker, shape, { sequence, withArena: true });
    const at = sums.findIndex((sum, index) => {
      let expected = 0;
      for (let replica = 0; replica < shape.replicas; replica++) expected += elementOf(replica, index, sequence);
      return !Object.is(sum, expected) && sum !== expected;
    });
    expectThat(at === -1, `MPI's sums of ${JSON.stringify(shape)}, exchange ${sequence}, element ${at}`);
    expectThat(
      scalarSums.every((sum) => sum === 0.5 * shape.replicas),
      `MPI's scalars of ${JSON.stringify(shape)}`,
    );
  }
  expectThat(!worker.collective.ordered && worker.collective.name === "mpi", "what MPI's all-reduce says of itself");
  await transport[Symbol.asyncDispose]();
}

async function frames(): Promise<void> {
  const link = openLink();
  for (const size of [0, 1, 7, 128, 199, 200, 201, 4096, 262_144, 3_000_001]) {
    const payload = new Uint8Array(new SharedArrayBuffer(size + 64), 64, size).map((_, at) => (at * 31 + size) % 251);
    link.send({ header: Uint8Array.of(size % 256, 2, 3), payload });
    const frame = await link.receive(never);
    const isSame = Buffer.from(frame.payload).equals(Buffer.from(payload)) && frame.header[0] === size % 256;
    expectThat(isSame && frame.header.byteLength === 3, `a frame of ${size} bytes`);
  }
  await barrier();
  await landings(link);
  const count = 2000;
  for (let index = 0; index < count; index++) {
    link.send({ header: Uint8Array.of(index % 256), payload: new Uint8Array(index % 300).fill(index % 256) });
  }
  for (let index = 0; index < count; index++) {
    const { header, payload } = await link.receive(never);
    const isSame = header[0] === index % 256 && payload.byteLength === index % 300;
    expectThat(isSame && payload.every((byte) => byte === index % 256), `frame ${index} of ${count}`);
  }
  await abortedReceive(link);
  await barrier();
  const waiting = link.receive(never).then(() => null, failureCode);
  await link[Symbol.asyncDispose]();
  expectThat((await waiting) === "ENDPOINT_UNAVAILABLE", "a receive under way ends with its link");
}

async function landings(link: MpiRingTransport): Promise<void> {
  const sizes = [4096, 0, 262_144, 10, 3_000_001];
  const places = sizes.map((size) => new Uint8Array(new SharedArrayBuffer(size + 64), 64, size));
  for (const [index, size] of sizes.entries()) {
    const payload = new Uint8Array(new SharedArrayBuffer(size + 64), 64, size).fill(index + 1);
    link.send({ header: Uint8Array.of(index), payload });
    // The frames of a rank that is ahead may come at once.
    const { payload: landed } = await link.receive(never, ([number = 0]) => places[number] ?? null);
    const isSame = landed.byteLength === size && landed.every((byte) => byte === index + 1);
    expectThat(isSame && (size < 4096 || landed === places[index]), `a frame of ${size} bytes lands where it should`);
  }
}

async function abortedReceive(link: MpiRingTransport): Promise<void> {
  const abort = new AbortController();
  const waiting = link.receive(abort.signal).then(
    () => null,
    (reason: unknown) => reason,
  );
  abort.abort("called off");
  expectThat((await waiting) === "called off", "an aborted receive rejects with the reason");
  await barrier();
  link.send({ header: Uint8Array.of(1), payload: new Uint8Array(5000) });
  link.send({ header: Uint8Array.of(2), payload: new Uint8Array(5) });
  expectThat((await link.receive(never)).header[0] === 1, "the first frame after an aborted receive");
  expectThat((await link.receive(never)).header[0] === 2, "the second frame after an aborted receive");
  expectThat((await attempt(() => link.connect("nowhere"))) === "ENDPOINT_UNAVAILABLE", "no connection to nowhere");
}

async function attempt(action: () => void): Promise<unknown> {
  return await Promise.resolve()
    .then(action)
    .then(() => null, failureCode);
}

function failureCode(thrown: unknown): unknown {
  return (thrown as { failure?: { code?: unknown } }).failure?.code;
}

async function barrier(): Promise<void> {
  const request = mpi.sum(new Float64Array(16), new Float64Array(16));
  while (!request.isDone()) await new Promise(setImmediate);
}

for (const replicas of [mpi.size, mpi.size + 1, MOST_REPLICAS]) {
  for (const paddedLength of [16, 16 * (replicas + 1), 10_016]) {
    await exchangeAll({ workers: mpi.size, replicas, paddedLength, scalarCount: 5 }, EXCHANGES);
  }
}
await exchangeAll({ workers: mpi.size, replicas: mpi.size + 1, paddedLength: 2 ** 20, scalarCount: 5 }, [true, true]);
await exchangeAll({ workers: mpi.size, replicas: mpi.size, paddedLength: 16, scalarCount: 0 }, EXCHANGES);
// Open MPI sums by another algorithm from 64 KiB on.
for (const paddedLength of [16, 10_016, 100_000]) {
  await sumAll({ workers: mpi.size, replicas: MOST_REPLICAS, paddedLength, scalarCount: 4 });
}
await frames();
const report: RankReport = { version: mpi.version, size: mpi.size, checked, wrong };
await writeFile(join(folder, `${mpi.rank}.json`), JSON.stringify(report));
await mpi.finalize();
