import { type ChildProcess, spawn } from "node:child_process";
import { chmod, open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { openHttpClient } from "../../coordinator/engines/http-client.js";
import { type InstallEvent, InstallEventSchema } from "../../coordinator/engines/install-event.js";
import { readRegistryAddresses } from "../../coordinator/engines/registry-addresses.js";
import { locateEngine } from "../../shared/engine-store/locate-engine.js";
import { type RegistryServer, serveRegistries } from "../support/registry-server.js";
import { ROOT, runCommand, startCommand } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { HAS_COMPILER, makeTinyEngine, type TinyEngine, versionOf } from "../support/tiny-engine.js";

interface KillableInstall {
  readonly child: ChildProcess;
  /** The events, once the process has ended well. @throws with what it said */
  readonly ended: Promise<InstallEvent[]>;
  /** Resolves with the first such event. */
  until(found: (event: InstallEvent) => boolean): Promise<void>;
  /** SIGKILL to it and all its children. */
  kill(): Promise<void>;
}

interface TinyStore {
  readonly root: string;
  readonly specification: string;
}

async function describeInstall({ recipe }: TinyEngine, { url }: RegistryServer): Promise<TinyStore> {
  const place = await temporaryDirectory();
  const root = join(place, "store");
  const sources = recipe.sources.map((source) => {
    return { ...source, take: source.take.map(({ pattern, into }) => ({ pattern: pattern.source, into })) };
  });
  const specification = join(place, "specification.json");
  await writeFile(specification, JSON.stringify({ recipe: { ...recipe, sources }, root, url }));
  return { root, specification };
}

function install({ specification }: TinyStore, env: Readonly<Record<string, string>> = {}): KillableInstall {
  const environment = JSON.stringify({ ["PATH"]: process.env["PATH"], ...env });
  const child = spawn(process.execPath, [join(ROOT, "test/support/tiny-install.mjs"), specification, environment], {
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that its compiler can be killed with it.
    detached: true,
  });
  const killGroup = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, "SIGKILL");
  };
  onTestFinished(killGroup);
  let stdout = "";
  let stderr = "";
  const events = (): InstallEvent[] =>
    stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => InstallEventSchema.parse(JSON.parse(line)));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    child.emit("told");
  });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    child,
    ended: closed.then((code) => {
      if (code === 0) return events();
      throw new Error(`it ended with ${code}: ${stderr}`);
    }),
    until: (found) =>
      new Promise((resolve, reject) => {
        child.on("told", () => {
          if (events().some(found)) resolve();
        });
        void closed.then(() => reject(new Error(`it ended first: ${stderr}`)));
      }),
    kill: async () => {
      killGroup();
      await closed;
    },
  };
}

describe.skipIf(!HAS_COMPILER)("an installation that is killed (needs g++)", () => {
  const locate = (root: string) =>
    locateEngine("tensorflow", {
      environment: { ["RINGSTRASSE_ENGINE_DIR"]: root },
      projectDirectory: "/",
      effort: "all",
    });

  it("in the middle of a download goes on there", async () => {
    const tiny = await makeTinyEngine();
    const server = await serveRegistries(tiny.files);
    const store = await describeInstall(tiny, server);
    server.misbehave((_request, response, { bytes }) => {
      response.writeHead(200, { "content-length": bytes.byteLength });
      response.write(bytes.subarray(0, 100_000));
      return "done";
    });
    const first = install(store);
    first.ended.catch(() => null);
    await first.until((event) => event.event === "download" && event.receivedBytes === 100_000);
    await first.kill();
    expect((await locate(store.root)).location).toBeNull();
    server.misbehave(() => "send");
    const events = await install(store).ended;
    expect(events[0]).toMatchObject({ event: "install", resumedBytes: 100_000 });
    expect(events.at(-1)).toMatchObject({ event: "installed" });
    expect(server.downloads[1]?.range).toBe("bytes=100000-");
    const { location } = await locate(store.root);
    if (location === null) throw new Error("it is not there");
    expect(await versionOf(location)).toBe("0.1.2-tiny");
  });

  it("while it is built starts building anew, fetching nothing", async () => {
    const tiny = await makeTinyEngine();
    const server = await serveRegistries(tiny.files);
    const store = await describeInstall(tiny, server);
    const compiler = join(await temporaryDirectory(), "endless");
    await writeFile(compiler, "#!/bin/sh\nexec sleep 1000\n");
    await chmod(compiler, 0o755);
    const first = install(store, { ["CXX"]: compiler });
    first.ended.catch(() => null);
    await first.until(({ event }) => event === "compile");
    await first.kill();
    expect((await readdir(store.root)).some((name) => name.includes(".unfinished-"))).toBe(true);
    expect((await locate(store.root)).location).toBeNull();
    const events = await install(store).ended;
    expect(events.at(-1)).toMatchObject({ event: "installed", transferredBytes: 0 });
    expect(server.downloads).toHaveLength(3);
    expect((await readdir(store.root)).sort()).toEqual(["downloads", expect.stringMatching(/^tensorflow-/)]);
    expect((await locate(store.root)).location).not.toBeNull();
  });
});

/** Whether the registry that pip would use has an answer. */
async function registryAnswers(): Promise<boolean> {
  const { pypi, certificates } = await readRegistryAddresses({
    environment: process.env,
    projectDirectory: ROOT,
    execPath: process.execPath,
  });
  await using http = openHttpClient(process.env, certificates);
  const headers = pypi.authorization === null ? {} : { authorization: pypi.authorization };
  const asked = http.get(`${pypi.url}/tensorflow-cpu/`, { headers, signal: AbortSignal.timeout(10_000) });
  return await asked.then(
    async (response) => {
      await response.discard();
      return response.status === 200;
    },
    () => false,
  );
}

const isReal = HAS_COMPILER && `${process.platform}-${process.arch}` === "linux-x64" && (await registryAnswers());

describe.skipIf(!isReal)("a real engine (needs g++, linux-x64 and a Python package index; fetches 230 MB)", () => {
  it("survives being killed, computes, is installed once, and is refused when a byte of it has changed", async () => {
    const env = { ["RINGSTRASSE_ENGINE_DIR"]: join(await temporaryDirectory(), "engines") };
    const first = startCommand(["engine", "install", "cpu", "--json"], { env });
    const fifth = /"receivedBytes":(?:[5-9]\d{7}|1\d{8})/;
    await first.until((stdout) => fifth.test(stdout));
    first.child.kill("SIGKILL");
    expect((await first.ended).signal).toBe("SIGKILL");

    const second = await runCommand(["engine", "install", "cpu", "--json"], { env });
    const events = second.stdout
      .trimEnd()
      .split("\n")
      .map((line) => InstallEventSchema.parse(JSON.parse(line)));
    expect(second.exitCode).toBe(0);
    const [begun] = events;
    if (begun?.event !== "install") throw new Error(`it began with ${begun?.event}`);
    expect(begun.resumedBytes).toBeGreaterThan(40e6);
    expect(events.at(-1)).toMatchObject({
      event: "installed",
      engine: "tensorflow",
      version: "2.18.1",
      transferredBytes: begun.downloadBytes - begun.resumedBytes,
    });

    const third = await runCommand(["engine", "install", "cpu"], { env });
    expect(third.stdout).toMatch(/^tensorflow 2\.18\.1 is already installed in .+checksums right\)\n$/);

    const listed = await runCommand(["engine", "list", "--json"], { env });
    const engines = listed.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(listed.exitCode).toBe(0);
    expect(engines[0]).toMatchObject({ engine: "wasm", status: "ready", version: expect.stringContaining("4.22.0") });
    expect(engines[1]).toMatchObject({ engine: "tensorflow", status: "ready", version: "2.18.1", origin: "store" });
    expect(engines[1].gigaflops).toBeGreaterThan(0.1);
    expect(engines[2]).toMatchObject({ engine: "tensorflow-gpu", status: "missing" });

    const library = await open(join(engines[1].directory, "tensorflow/libtensorflow_framework.so.2"), "r+");
    await library.write(Buffer.from([0x55]), 0, 1, 12_345_678);
    await library.close();
    const damaged = await runCommand(["engine", "list", "--quick"], { env });
    expect(damaged.exitCode).toBe(4);
    expect(damaged.stdout).toContain("libtensorflow_framework.so.2 has changed since it was installed");
    expect(damaged.stdout).toContain("Run: ringstrasse engine install cpu");

    const removed = await runCommand(["engine", "remove", "cpu"], { env });
    expect(removed.stdout).toMatch(/^tensorflow is removed from /);
    const gone = await runCommand(["engine", "list", "--quick", "--json"], { env });
    expect(JSON.parse(gone.stdout.split("\n")[1] ?? "")).toMatchObject({ status: "missing" });
  }, 900_000);
});

describe("ringstrasse engine", () => {
  it("fails as other commands do: a line on stderr, an event with --json, exit code 4", async () => {
    const place = await temporaryDirectory();
    const env = {
      ["RINGSTRASSE_ENGINE_DIR"]: place,
      ["PIP_INDEX_URL"]: "http://127.0.0.1:9/simple",
      ["npm_config_registry"]: "http://127.0.0.1:9",
      // Any program that is there will do: it is not called.
      ["CXX"]: process.execPath,
    };
    const { exitCode, stdout, stderr } = await runCommand(["engine", "install", "cpu", "--json"], { env });
    expect(exitCode).toBe(4);
    expect(JSON.parse(stdout.trimEnd())).toMatchObject({ event: "failed", code: "ENGINE_UNAVAILABLE" });
    expect(stderr).toMatch(
      /^ringstrasse: engine tensorflow: http:\/\/127\.0\.0\.1:9\/simple\/tensorflow-cpu\/ can't be/,
    );
    expect(stderr).toContain("PIP_INDEX_URL");
  });

  it("does not show the checking process's command", async () => {
    const { stdout } = await runCommand(["--help"]);
    expect(stdout).toContain("engine     list, install and remove engines");
    expect(stdout).not.toContain("engine-check");
  });
});
