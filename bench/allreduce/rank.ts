/** One rank of `bench/allreduce.ts`, a process of its own: the product's ring session on the numbers that its parent asks for. */
import { once } from "node:events";
import process from "node:process";
import { BenchSession } from "./bench-session.js";
import type { FromRank, RankStart, SizePlan, ToRank } from "./rank-messages.js";

const start = JSON.parse(process.argv[2] ?? "") as RankStart;
// The parent has gone: nobody asks for figures any more.
const orphaned = (): void => process.exit(1);
process.once("disconnect", orphaned);
for (const [index, size] of start.sizes.entries()) await measure(size, index + 1);
process.off("disconnect", orphaned);
process.disconnect();

async function measure(size: SizePlan, generation: number): Promise<void> {
  await using bench = await BenchSession.bind({ ...start, mpiMode: "ordered", mpi: null }, size, generation);
  const { endpoint, segment } = bench.session.bound;
  say({ kind: "bound", endpoint, segment });
  const message = await hear();
  if (message.kind !== "connect") throw new Error(`unexpected ${message.kind}`);
  await bench.connect(message.endpoints, message.segments);
  say({ kind: "measured", ...(await bench.measure()) });
  await hear();
}

function say(message: FromRank): void {
  process.send?.(message);
}

async function hear(): Promise<ToRank> {
  const [message] = (await once(process, "message")) as [ToRank];
  return message;
}
