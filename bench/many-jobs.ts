/**
 * Does `ringstrasse serve` stay small and quick with many jobs? Posts `--jobs` (1000) small ones, of two kinds and three priorities,
 * queues all of them, has two local workers train them, and cancels every twentieth: half of those while they wait, half while they
 * run. Meanwhile it asks for lists and objects, and samples the memory of every process (from /proc, Linux only). Exit code 1 when a
 * job ends as it should not, two jobs of a kind have different weights, a process grows by more than `--growth-mb` (64) from a fifth
 * of the jobs to the end, or, of short jobs one by one at the end, half take longer than `--job-ms` (1000) from start to end.
 *
 *     npm run bench:many-jobs -- --jobs 1000
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import type { JobEvent } from "../shared/api/job-event.js";
import { wholeNumber } from "../shared/cli/option-table.js";
import { aboveZero, benchOptions } from "./support/bench-options.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { IRIS_DATA, IRIS_NAME, type IrisKind, irisDocument } from "./support/iris-jobs.js";
import { Latencies } from "./support/latencies.js";
import { machineFacts } from "./support/machine-facts.js";
import { sampleProcessTree } from "./support/process-memory.js";
import { Refusal, ServeClient } from "./support/serve-client.js";
import { freePort, SERVE_TOKEN, startServe } from "./support/serve-process.js";

const WORKERS = 2;
const POSTED_AT_ONCE = 8;
const LOOK_EVERY_MS = 500;
const MEGABYTE = 1024 * 1024;
/** The first part of the jobs, in which processes grow to what they need. */
const WARM_UP = 0.2;
const SHORT: IrisKind = { epochs: 5, seed: 1 };
const PROBES = 20;
const PROBE = "a short job, start to end";
const LONG: IrisKind = { epochs: 200, seed: 2 };

exitOnSignals();
const values = benchOptions({
  name: "many-jobs",
  describe:
    "Does `ringstrasse serve` stay small and quick with many jobs? Posts and queues them, trains them on two local workers, cancels every twentieth, and asks for lists and objects meanwhile. Linux only. One line of JSON; exit code 1 when a job ends as it should not, a process grows too much, or jobs one by one take too long.",
  options: {
    jobs: { describe: "How many; 20 at least", schema: wholeNumber(20), placeholder: "N", default: "1000" },
    "growth-mb": {
      describe: "What a process may grow by, in MiB, from a fifth of the jobs to the end",
      schema: aboveZero,
      placeholder: "N",
      default: "64",
    },
    "job-ms": {
      describe: "What half of the short jobs may take at the end, from start to end",
      schema: aboveZero,
      placeholder: "N",
      default: "1000",
    },
  },
  examples: [["--jobs 1000", ""]],
});
const count = values.jobs;
const growthLimitBytes = values["growth-mb"] * MEGABYTE;

interface PostedJob {
  readonly id: string;
  readonly kind: IrisKind;
  /** When it is to be cancelled. */
  readonly cancel: "never" | "waiting" | "running";
  cancelled: boolean;
}

interface Sample {
  /** Jobs that had ended. */
  readonly ended: number;
  readonly pid: number;
  readonly role: string;
  readonly residentBytes: number;
}

const complaints: string[] = [];
const samples: Sample[] = [];
const latencies = new Latencies();
const dataDirectory = await mkdtemp(join(tmpdir(), "ringstrasse-many-jobs-"));
const place = { port: await freePort(), controlPort: await freePort(), dataDirectory, workers: WORKERS };
const server = await startServe(place).catch(async (thrown: unknown) => {
  await rm(dataDirectory, { recursive: true, force: true });
  throw thrown;
});
try {
  const result = await measure(new ServeClient(server.url, SERVE_TOKEN));
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
} finally {
  await server.kill();
  await rm(dataDirectory, { recursive: true, force: true });
}

async function measure(client: ServeClient): Promise<Record<string, unknown>> {
  await client.upload({ name: IRIS_NAME, bytes: await readFile(IRIS_DATA) });
  const posting = performance.now();
  const jobs = await postAll(client);
  const postMs = (performance.now() - posting) / count;
  const began = performance.now();
  await watchOver(client, jobs);
  const seconds = (performance.now() - began) / 1000;
  const outcome = await outcomes(client, jobs);
  await probe(client);
  complaints.push(...server.errors);
  const memory = memoryReport();
  for (const { role, pid, growthBytes } of memory) {
    if (growthBytes > growthLimitBytes) complaints.push(`${role} ${pid} grew by ${growthBytes} bytes`);
  }
  const figures = { jobs: count, workers: WORKERS, postMs, seconds, jobsPerSecond: count / seconds };
  return {
    bench: "many-jobs",
    machine: machineFacts(),
    ...figures,
    ...outcome,
    latencyMs: latencies.report(),
    memory,
    complaints,
  };
}

async function postAll(client: ServeClient): Promise<PostedJob[]> {
  const jobs: PostedJob[] = [];
  let next = 0;
  const post = async () => {
    while (next < count) {
      const index = next++;
      const cancel = index % 20 !== 7 ? "never" : index % 40 === 7 ? "waiting" : "running";
      // What is to be cancelled while it runs has to run for long enough.
      const kind = cancel === "running" ? { epochs: 100_000, seed: 3 } : index % 10 === 3 ? LONG : SHORT;
      const id = await client.post(await irisDocument(kind, `job ${index}`));
      jobs.push({ id, kind, cancel, cancelled: false });
    }
  };
  await Promise.all(Array.from({ length: POSTED_AT_ONCE }, post));
  // One after the other, so that those to be cancelled while they wait still wait.
  for (const job of jobs.filter(({ cancel }) => cancel === "waiting")) {
    await client.tell("PUT", `/worker/queue/${job.id}`);
    await cancelJob(client, job);
  }
  for (const [index, { id, cancel }] of jobs.entries()) {
    if (cancel !== "waiting") await client.tell("POST", `/vinnsl/${id}/train?priority=${(index % 3) - 1}`);
  }
  return jobs;
}

async function cancelJob(client: ServeClient, job: PostedJob): Promise<void> {
  try {
    await client.tell("POST", `/vinnsl/${job.id}/cancel`);
    job.cancelled = true;
  } catch (thrown) {
    // It was quicker.
    if (!(thrown instanceof Refusal) || thrown.status !== 409) throw thrown;
  }
}

/** Until no job waits or runs. */
async function watchOver(client: ServeClient, jobs: readonly PostedJob[]): Promise<void> {
  const toCancel = new Map(jobs.filter(({ cancel }) => cancel === "running").map((job) => [job.id, job]));
  for (;;) {
    const statuses = await latencies.time("GET /status", () => client.statuses());
    const ended = [...statuses.values()].filter((status) => status === "FINISHED" || status === "ERROR").length;
    for (const { pid, role, residentBytes } of await sampleProcessTree(server.pid)) {
      samples.push({ ended, pid, role, residentBytes });
    }
    process.stderr.write(`${ended} of ${count} jobs have ended\n`);
    if (ended === count) return;
    for (const [id, job] of toCancel) {
      if (statuses.get(id) !== "INPROGRESS") continue;
      toCancel.delete(id);
      await cancelJob(client, job);
    }
    await latencies.time("GET /cluster/jobs?limit=50", () => client.bytes("/cluster/jobs?limit=50"));
    const { id } = jobs[ended % jobs.length] ?? { id: "" };
    await latencies.time("GET /vinnsl/{id}", () => client.bytes(`/vinnsl/${id}`, "application/json"));
    await wait(LOOK_EVERY_MS);
  }
}

async function outcomes(client: ServeClient, jobs: readonly PostedJob[]): Promise<Record<string, unknown>> {
  const hashes = new Map<string, Set<string>>();
  let [finished, cancelled] = [0, 0];
  for (const { id, kind, cancelled: wasCancelled } of jobs) {
    const { job, failure, result } = await client.detail(id);
    if (wasCancelled) {
      cancelled++;
      if (failure?.code !== "CANCELLED") complaints.push(`job ${id} was cancelled and is ${job.status}`);
    } else if (job.status !== "FINISHED" || result === null) {
      complaints.push(`job ${id} is ${job.status}: ${JSON.stringify(failure)}`);
    } else {
      finished++;
      const name = `${kind.epochs} epochs, seed ${kind.seed}`;
      hashes.set(name, (hashes.get(name) ?? new Set()).add(result.weightsSha256));
    }
  }
  for (const [kind, found] of hashes) {
    if (found.size > 1) complaints.push(`jobs of ${kind} have ${found.size} different weights`);
  }
  return { finished, cancelled, weights: Object.fromEntries([...hashes].map(([kind, found]) => [kind, [...found]])) };
}

/** Short jobs one by one, with nothing else to do: from asking for the training to hearing of its end. */
async function probe(client: ServeClient): Promise<void> {
  const hasEnded = (event: JobEvent) =>
    event.event === "status" && (event.status === "FINISHED" || event.status === "ERROR");
  for (let index = 0; index < PROBES; index++) {
    const id = await client.post(await irisDocument(SHORT, `probe ${index}`));
    await latencies.time(PROBE, async () => {
      await client.tell("POST", `/vinnsl/${id}/train`);
      await client.event(id, 0, hasEnded);
    });
    const { result } = await client.detail(id);
    if (result === null) complaints.push(`probe ${id} has not finished`);
    else latencies.add("of it, training and forming the ring", result.wallMs);
  }
  const { p50 } = latencies.report()[PROBE] ?? { p50: Number.POSITIVE_INFINITY };
  if (p50 > Number(values["job-ms"])) complaints.push(`half of the short jobs took more than ${p50} ms`);
}

function memoryReport() {
  const pids = [...new Set(samples.map(({ pid }) => pid))];
  return pids.map((pid) => {
    const own = samples.filter((sample) => sample.pid === pid);
    const highest = (part: readonly Sample[]) => Math.max(...part.map(({ residentBytes }) => residentBytes));
    const early = own.filter(({ ended }) => ended <= WARM_UP * count);
    const late = own.filter(({ ended }) => ended > WARM_UP * count);
    const [earlyBytes, lateBytes] = [highest(early), highest(late)];
    const growthBytes = early.length > 0 && late.length > 0 ? lateBytes - earlyBytes : 0;
    return { pid, role: own.at(-1)?.role ?? "other", earlyBytes, lateBytes, growthBytes };
  });
}
