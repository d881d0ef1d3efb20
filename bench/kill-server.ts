/**
 * Does `ringstrasse serve` keep its word when it is killed? Clients upload files, post, change, queue, cancel, retrain and remove jobs
 * at random (`--seed`) while the server trains them on a worker of its own and on one that has joined. It is killed (SIGKILL) `--kills`
 * (50) times: in turn during an upload, during training, while a run's results are being stored, and at any moment. Each time the
 * next server on the same directory must have all that was acknowledged, whole, and nothing half-written; the joined worker must be
 * back by itself, and no process left over. At the end all jobs train, each has the weights that `ringstrasse train` gives it, and
 * every file is read once more.
 * Exit code 1 when anything is lost, or a kind of moment was never met, not even by further kills aimed at it.
 *
 *     npm run bench:kill-server -- --kills 50 --seed 1
 */
import { watch } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { wholeNumber } from "../shared/cli/option-table.js";
import { benchOptions } from "./support/bench-options.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { type IrisKind, irisWeightsSha256 } from "./support/iris-jobs.js";
import { KeptPromises } from "./support/kept-promises.js";
import { KillCheck } from "./support/kill-check.js";
import { KillClients } from "./support/kill-clients.js";
import { machineFacts } from "./support/machine-facts.js";
import { median } from "./support/median.js";
import { AIMED_AT, eachHasItsTurn, type Moment, nextMoment } from "./support/next-moment.js";
import { SeededChoice } from "./support/seeded-choice.js";
import { ServeClient } from "./support/serve-client.js";
import { freePort, SERVE_TOKEN, type ServeProcess, startGuest, startServe } from "./support/serve-process.js";
import { storeAtRest } from "./support/store-at-rest.js";

const CLIENTS = 4;
/** A moment that does not come within this time is not waited for any longer. */
const MOMENT_MS = 15_000;
const GUEST_MS = 30_000;
const END_MS = 300_000;
const GUEST = "guest";
const KINDS: readonly IrisKind[] = [
  { epochs: 40, seed: 1 },
  { epochs: 1500, seed: 2 },
];

exitOnSignals();
const { kills, seed } = benchOptions({
  name: "kill-server",
  describe:
    "Does `ringstrasse serve` keep its word when it is killed? Clients upload, post, change, queue, cancel and remove while jobs train; the server is killed in turn at moments of each kind. One line of JSON; exit code 1 when anything that was acknowledged is lost, or a kind of moment was never met.",
  options: {
    kills: { describe: "How often", schema: wholeNumber(1), placeholder: "N", default: "50" },
    seed: { describe: "Of what the clients do", schema: wholeNumber(0), placeholder: "N", default: "1" },
  },
  examples: [["--kills 3 --seed 3", "A short look."]],
});
const random = new SeededChoice(seed);

const dataDirectory = await mkdtemp(join(tmpdir(), "ringstrasse-kill-server-"));
const place = { port: await freePort(), controlPort: await freePort(), dataDirectory, workers: 1 };
const guest = startGuest(place.controlPort, GUEST);
const faults: string[] = [];
/** Kills by what they met. */
const met = { upload: 0, post: 0, change: 0, training: 0, storing: 0 };
const startMs: number[] = [];
const guestBackMs: number[] = [];
let unrecordedFiles = 0;
const running: { server: ServeProcess | null } = { server: null };
try {
  const result = await soak();
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await running.server?.kill();
  await guest.stop();
  await rm(dataDirectory, { recursive: true, force: true });
}

async function soak(): Promise<Record<string, unknown>> {
  const began = performance.now();
  const weights = new Map<IrisKind, string>();
  for (const kind of KINDS) weights.set(kind, await irisWeightsSha256(kind));
  const promises = new KeptPromises();
  const clients = new KillClients({ promises, kinds: KINDS, random });
  let last = { jobs: 0, files: 0 };
  let done = 0;
  for (;;) {
    const moment = nextMoment({ done, kills, met });
    const client = await startNext();
    if (done === 0) await clients.begin(client);
    last = await check(new KillCheck(client, promises, weights), { kill: done, readAgain: false });
    if (moment === null) {
      await finishAll(client, promises);
      last = await check(new KillCheck(client, promises, weights), { kill: done, readAgain: true });
      break;
    }
    await workAndKill(client, clients, moment);
    done++;
  }
  const exitCode = await running.server?.stop();
  if (exitCode !== 0) faults.push("the last server did not end in good order");
  running.server = null;
  if (eachHasItsTurn(kills)) {
    for (const moment of AIMED_AT)
      if (met[moment] === 0) faults.push(`no kill fell into this kind of moment: ${moment}`);
  }
  const seconds = (performance.now() - began) / 1000;
  const times = { startMs: median(startMs), guestBackMs: Math.max(...guestBackMs) };
  const figures = { kills: done, seed, seconds, met, unrecordedFiles, ...last, ...times };
  return { bench: "kill-server", machine: machineFacts(), ...figures, faults };
}

async function startNext(): Promise<ServeClient> {
  const server = await startServe(place);
  running.server = server;
  startMs.push(server.startMs);
  const client = new ServeClient(server.url, SERVE_TOKEN);
  const began = performance.now();
  const isBack = async () => (await client.cluster()).workers.some(({ id }) => id === GUEST);
  if (await until(isBack, GUEST_MS)) guestBackMs.push(performance.now() - began);
  else faults.push("the joined worker has not come back");
  return client;
}

async function check(
  checking: KillCheck,
  { kill, readAgain }: { readonly kill: number; readonly readAgain: boolean },
): Promise<{ jobs: number; files: number }> {
  const { faults: found, jobs, files } = await checking.run({ readAgain });
  const said = running.server?.errors ?? [];
  faults.push(...[...found, ...said].map((fault) => `after kill ${kill}: ${fault}`));
  const counts = Object.entries(met).map(([moment, count]) => `${moment} ${count}`);
  process.stderr.write(`${kill} kills (${counts.join(", ")}): ${jobs} jobs, ${files} files, ${faults.length} faults\n`);
  return { jobs, files };
}

async function workAndKill(client: ServeClient, clients: KillClients, moment: Moment): Promise<void> {
  const { server } = running;
  if (server === null) return;
  const stop = new AbortController();
  clients.sendsFiles = moment !== "storing";
  const working = Promise.all(Array.from({ length: CLIENTS }, () => clients.work(client, stop.signal)));
  // Heard at the end; a client that fails ends the soak then.
  working.catch(() => undefined);
  // Before the moment: looking for them takes longer than many a moment lasts.
  let family: readonly number[] = [];
  await until(async () => {
    family = await server.family();
    return family.length > place.workers;
  }, MOMENT_MS);
  const settled = await comes(moment, client, clients);
  if (settled) await wait(random.whole(0, moment === "storing" ? 40 : 15));
  const phases = clients.phases();
  const orphans = await server.kill(family);
  if (orphans.length > 0) faults.push(`processes outlived their server: ${orphans.join(", ")}`);
  stop.abort();
  await working;
  const left = await storeAtRest(dataDirectory);
  for (const phase of phases) met[phase]++;
  if (left.training > 0) met.training++;
  if (left.unrecordedFiles > 0 || (left.incoming > 0 && !phases.includes("upload"))) met.storing++;
  unrecordedFiles += left.unrecordedFiles;
}

/** Waits for the moment. False: it did not come. */
async function comes(moment: Moment, client: ServeClient, clients: KillClients): Promise<boolean> {
  switch (moment) {
    case "upload":
      return await until(() => clients.phases().includes("upload"), MOMENT_MS);
    case "training": {
      const isTraining = async () => (await client.cluster()).workers.some(({ step }) => step !== null && step > 0);
      return await until(isTraining, MOMENT_MS);
    }
    case "storing":
      await until(() => !clients.phases().includes("upload"), MOMENT_MS);
      return await somethingArrives();
    case "any":
      await wait(random.whole(50, 2500));
      return true;
  }
}

/** Nobody uploads: it is a run's result. */
async function somethingArrives(): Promise<boolean> {
  return await new Promise((resolve) => {
    const timer = setTimeout(() => done(false), MOMENT_MS);
    const watcher = watch(join(dataDirectory, "incoming"), () => done(true));
    const done = (hasCome: boolean) => {
      clearTimeout(timer);
      watcher.close();
      resolve(hasCome);
    };
  });
}

/** Jobs that were never queued, or interrupted too often, are queued; then all are waited for. */
async function finishAll(client: ServeClient, promises: KeptPromises): Promise<void> {
  for (const [id, status] of await client.statuses()) {
    if (status !== "CREATED" && status !== "ERROR") continue;
    await client.tell("PUT", `/worker/queue/${id}`);
    const job = promises.jobs.get(id);
    if (job !== undefined) promises.queueing(job)();
  }
  const isDone = async () => [...(await client.statuses()).values()].every((status) => status === "FINISHED");
  if (!(await until(isDone, END_MS))) faults.push("not all jobs have finished");
}

async function until(holds: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) return false;
    await wait(10);
  }
  return true;
}
