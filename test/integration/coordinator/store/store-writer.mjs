// A server's store under load, for `store-crash.test.ts` to kill: several clients at once, who say on stdout what was acknowledged to
// them. Arguments: the data directory. Ends only by being killed.
import { createHash, randomBytes, randomInt } from "node:crypto";
import { writeSync } from "node:fs";
import { argv } from "node:process";
import { setImmediate } from "node:timers/promises";
import { openStore } from "../../../../dist/coordinator/store/open-store.js";

/** Synchronous: what is said has left the process before anything else happens. */
const say = (...words) => writeSync(1, `${words.join(" ")}\n`);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

say("starting");
const limits = { quotaBytes: 2 ** 30, maxFileBytes: 2 ** 30 };
const { jobs, files } = await openStore({ directory: argv[2], limits });
say("open");

async function post() {
  const body = randomBytes(randomInt(20_000)).toString("base64");
  const json = JSON.stringify({ body, sha256: sha256(body) });
  const { id } = await jobs.create({ document: { json, xml: body }, title: sha256(json) });
  say("job", id, sha256(json));
  return id;
}

async function train() {
  const id = await post();
  await jobs.transition(id, "queue");
  say("queued", id);
  await jobs.claim(id);
  say("started", id);
  for (let step = 0; step < 5; step++) {
    const row = { kind: "step", epoch: 0, step, at: 0, values: { loss: step } };
    const [event] = await Promise.all([
      jobs.addEvent(id, { kind: "step", data: String(step) }),
      jobs.addMetrics(id, [row]),
    ]);
    say("event", id, event.sequence);
  }
}

async function* pieces(bytes) {
  for (let from = 0; from < bytes.length; from += 20_000) {
    yield bytes.subarray(from, from + 20_000);
    await setImmediate();
  }
}

async function upload() {
  // Some contents come again and again, so that names share them.
  const bytes = randomInt(3) === 0 ? Buffer.alloc(40_000, randomInt(3)) : randomBytes(randomInt(60_000));
  const file = await files.add(pieces(bytes), { name: `file ${randomInt(5)}`, contentType: "text/csv" });
  say("file", file.id, file.sha256, file.sizeBytes);
  return file;
}

async function uploadAndDelete() {
  const { id } = await upload();
  say("deleting", id);
  await files.delete(id);
  say("deleted", id);
}

async function forever(work) {
  while (true) await work();
}
// Each client posts and uploads by turns: jobs take far less time than files.
const clients = [
  () => post().then(upload),
  () => upload().then(post),
  () => train().then(upload),
  () => uploadAndDelete().then(train),
  uploadAndDelete,
];
await Promise.all(clients.map(forever));
