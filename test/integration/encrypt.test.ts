import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { Push } from "zeromq";
import { linkKeysOf } from "../../shared/transport/link-keys.js";
import { listeningPorts } from "../support/listening-ports.js";
import { type CommandEnd, eventsOf, ROOT, runTrain, startCommand } from "../support/run-command.js";
import { ask, askJson, eventsUntil, isEnd, startServing, stopServing } from "../support/serving.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { networkXml } from "../support/training-data.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const IRIS_DATA = join(ROOT, "examples/iris/iris.csv");
const TOKEN = "the-token-of-this-test";
/** What must not be told to anybody. */
const SECRETS = [
  TOKEN,
  ...(["control", "gradients"] as const).flatMap((purpose) => Object.values(linkKeysOf(TOKEN, purpose))),
];

interface DisturbedRun {
  readonly end: CommandEnd;
  /** What became of a stranger at each worker's port. */
  readonly handshakes: readonly string[];
  readonly out: string;
}

/** Two workers with a ring over tcp; somebody without the token comes to each while they train. */
async function trainDisturbed(...more: string[]): Promise<DisturbedRun> {
  const folder = await temporaryDirectory();
  const out = join(folder, "run");
  const places = ["--data-dir", join(folder, "rows"), "--out", out];
  const job = [IRIS, "--workers", "2", "--transport", "tcp", "--epochs", "500", "--evaluate-every", "500"];
  const env = { RINGSTRASSE_TOKEN: TOKEN };
  const run = startCommand(["train", ...job, ...places, "--json", "--log-level", "trace", ...more], { env });
  await run.until((stdout) => stdout.includes('"event":"step"'));
  const events = eventsOf(run.stdout().slice(0, run.stdout().lastIndexOf("\n") + 1));
  const pids = events.find((event) => event.event === "generation")?.workers.map(({ pid }) => pid ?? 0) ?? [];
  const ports = pids.flatMap(listeningPorts);
  expect(ports).toHaveLength(2);
  const handshakes = await Promise.all(ports.map(strangerAt));
  return { end: await run.ended, handshakes, out };
}

/** The first thing that the monitor of a socket without keys has to say of a handshake. */
async function strangerAt(port: number): Promise<string> {
  const stranger = new Push({ linger: 0 });
  onTestFinished(() => stranger.close());
  const { events } = stranger;
  stranger.connect(`tcp://127.0.0.1:${port}`);
  for await (const { type } of events) if (type.startsWith("handshake")) return type;
  throw new Error("the socket was closed before");
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe("train --encrypt", () => {
  it.skipIf(process.platform !== "linux")(
    "lets nobody without the token to the ring, changes no bit, and tells no secret",
    async () => {
      const plain = await trainDisturbed();
      expect(plain.handshakes).toEqual(["handshake", "handshake"]);
      const encrypted = await trainDisturbed("--encrypt");
      expect(encrypted.handshakes.every((type) => type.startsWith("handshake:error"))).toBe(true);

      const [one, other] = [plain, encrypted].map(({ end }) => eventsOf(end.stdout));
      const [finished] = one?.filter((event) => event.event === "finished") ?? [];
      const { weightsSha256, stateSha256 } = finished ?? {};
      expect(other?.at(-1)).toMatchObject({ event: "finished", collective: "ring", weightsSha256, stateSha256 });
      const configurations = [one, other].map((events) => events?.find((event) => event.event === "started"));
      expect(configurations[0]?.configuration).toMatchObject({ transport: "tcp", encrypt: false });
      expect(configurations[1]?.configuration).toMatchObject({ transport: "tcp", encrypt: true });

      const { end, out } = encrypted;
      const files = await Promise.all((await filesIn(out)).map((file) => readFile(file)));
      const told = Buffer.concat([Buffer.from(end.stdout), Buffer.from(end.stderr), ...files]);
      for (const secret of SECRETS) expect(told.includes(secret)).toBe(false);
    },
  );
});

describe("serve --encrypt", () => {
  it("has workers that join encrypt what they send each other: the same bits as train", async () => {
    const serving = await startServing({ workers: 0, args: ["--encrypt"], env: { RINGSTRASSE_TOKEN: TOKEN } });
    for (const name of ["one", "other"])
      startCommand(["worker", "--coordinator", serving.controlEndpoint, "--worker-id", name], {
        env: { RINGSTRASSE_TOKEN: TOKEN },
      });
    const form = new FormData();
    form.append("file", new Blob([await readFile(IRIS_DATA)]), "iris.csv");
    await askJson(serving, "/storage/upload", { method: "POST", body: form, token: TOKEN });
    const parallel =
      '<parallel><hardware><general><valueparameter name="workers">2</valueparameter></general></hardware></parallel>';
    const parameters = { iterations: 50, learningrate: 0.05 };
    const body = networkXml({ inputs: 4, hidden: [3], outputs: 3, parameters })
      .replace("<serial>true</serial>", `<serial>true</serial>${parallel}`)
      .replace("<dataSchemaID>", "<dataSchemaID>name/iris.csv");
    const posted = await ask(serving, "/vinnsl", { method: "POST", body, type: "application/xml", token: TOKEN });
    const id = (posted.headers.get("location") ?? "").split("/").at(-1) ?? "";
    await askJson(serving, `/vinnsl/${id}/train`, { method: "POST", token: TOKEN });
    const events = await eventsUntil({ url: serving.url, token: TOKEN }, id, isEnd);
    expect(events.find((event) => event.event === "started")?.configuration).toMatchObject({
      workers: 2,
      transport: "tcp",
      encrypt: true,
    });
    for (const secret of SECRETS) expect(JSON.stringify(events)).not.toContain(secret);

    const folder = await temporaryDirectory();
    const file = join(folder, "net.xml");
    await writeFile(file, body);
    const { finished } = await runTrain([file, "--data", IRIS_DATA, "--out", join(folder, "out")]);
    expect(events.find((event) => event.event === "finished")?.weightsSha256).toBe(finished.weightsSha256);
    expect(await stopServing(serving)).toBe(0);
  });
});
