import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openHttpClient } from "../../../../coordinator/engines/http-client.js";
import { type Installation, installEngine } from "../../../../coordinator/engines/install-engine.js";
import type { InstallEvent } from "../../../../coordinator/engines/install-event.js";
import { InstallEventSchema } from "../../../../coordinator/engines/install-event.js";
import { currentPlatform } from "../../../../coordinator/engines/platform-check.js";
import { removeEngine } from "../../../../coordinator/engines/remove-engine.js";
import { locateEngine } from "../../../../shared/engine-store/locate-engine.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { type RegistryServer, sendFile, serveRegistries } from "../../../support/registry-server.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { HAS_COMPILER, makeTinyEngine, type TinyEngine, versionOf } from "../../../support/tiny-engine.js";

describe.skipIf(!HAS_COMPILER)("installing an engine (needs g++)", () => {
  let tiny: TinyEngine;
  beforeAll(async () => {
    tiny = await makeTinyEngine();
  });

  async function prepare(): Promise<{ installation: Installation; server: RegistryServer; events: InstallEvent[] }> {
    const server = await serveRegistries(tiny.files);
    const http = openHttpClient({}, []);
    onTestFinished(() => http[Symbol.asyncDispose]());
    const events: InstallEvent[] = [];
    const installation: Installation = {
      recipe: tiny.recipe,
      root: join(await temporaryDirectory(), "store"),
      platform: currentPlatform(),
      http,
      registries: server.registries,
      environment: { ["PATH"]: process.env["PATH"] },
      check: versionOf,
      retries: { attempts: 3, firstPauseMs: 1 },
      force: false,
      emit: (event) => events.push(InstallEventSchema.parse(event)),
      signal: new AbortController().signal,
    };
    return { installation, server, events };
  }

  const locate = (root: string, effort: "all" | "changed" = "changed") =>
    locateEngine("tensorflow", { environment: { ["RINGSTRASSE_ENGINE_DIR"]: root }, projectDirectory: "/", effort });

  it("brings an engine that loads, keeps nothing else, and tells what it did", async () => {
    const { installation, server, events } = await prepare();
    const installed = await installEngine(installation);
    expect(installed).toMatchObject({ event: "installed", engine: "tensorflow", device: "cpu" });
    const downloadBytes = tiny.files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    expect(installed.transferredBytes).toBe(downloadBytes);
    const { location } = await locate(installation.root, "all");
    if (location === null) throw new Error("it is not there");
    expect(await versionOf(location)).toBe("0.1.2-tiny");
    expect((await readdir(location.directory)).sort()).toEqual([
      "binding",
      "licences",
      "manifest.json",
      "tensorflow",
      "verified.json",
    ]);
    expect((await readdir(installation.root)).sort()).toEqual(["downloads", installed.directory.split("/").at(-1)]);
    expect(await readdir(join(installation.root, "downloads"))).toEqual([]);
    expect(events.map(({ event }) => event).filter((event) => event !== "download")).toEqual([
      "install",
      "unpack",
      "unpack",
      "unpack",
      "compile",
      "check",
    ]);
    expect(server.downloads).toHaveLength(3);
  });

  it("does nothing the second time, and everything again with force", async () => {
    const { installation, server } = await prepare();
    await installEngine(installation);
    const again = await installEngine(installation);
    expect(again).toMatchObject({ event: "present", transferredBytes: 0 });
    expect(server.downloads).toHaveLength(3);
    expect(await installEngine({ ...installation, force: true })).toMatchObject({ event: "installed" });
    expect(server.downloads).toHaveLength(6);
    expect((await locate(installation.root)).location).not.toBeNull();
  });

  it("goes on where an interrupted installation stopped", async () => {
    const { installation, server } = await prepare();
    const abort = new AbortController();
    server.misbehave((_request, response, { bytes }) => {
      response.writeHead(200, { "content-length": bytes.byteLength });
      response.write(bytes.subarray(0, 100_000));
      return "done";
    });
    const emit = (event: InstallEvent): void => {
      if (event.event === "download" && event.receivedBytes === 100_000) abort.abort(new Error("enough"));
    };
    await expect(installEngine({ ...installation, emit, signal: abort.signal })).rejects.toThrow("enough");
    expect((await locate(installation.root)).location).toBeNull();
    server.misbehave(() => "send");
    const installed = await installEngine(installation);
    expect(server.downloads[1]).toEqual({ file: tiny.recipe.sources[0]?.file, range: "bytes=100000-" });
    const downloadBytes = tiny.files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    expect(installed.transferredBytes).toBe(downloadBytes - 100_000);
    expect((await locate(installation.root, "all")).location).not.toBeNull();
  });

  it("clears away what a killed installation left, and takes over its lock", async () => {
    const { installation } = await prepare();
    const { root } = installation;
    const rubbish = join(root, ".tensorflow-9-linux-x64.unfinished-0123456789ab");
    await mkdir(rubbish, { recursive: true });
    await writeFile(join(rubbish, "half"), "a");
    await writeFile(join(root, "install.lock"), '{"host":"');
    await installEngine(installation);
    expect(await readdir(root)).not.toContain(".tensorflow-9-linux-x64.unfinished-0123456789ab");
    expect(await readdir(root)).not.toContain("install.lock");
  });

  it("lets only one of two installations work", async () => {
    const { installation, server } = await prepare();
    let waiting: (() => void) | null = null;
    const begun = new Promise<void>((resolve) => {
      server.misbehave((request, response, { bytes }) => {
        waiting = () => sendFile(request, response, bytes);
        server.misbehave(() => "send");
        resolve();
        return "done";
      });
    });
    const first = installEngine(installation);
    await begun;
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => installEngine(installation));
    expect(refused.problem).toContain(`another process (${process.pid} on `);
    expect(refused.remedy).toContain("Wait until it has finished");
    (waiting as (() => void) | null)?.();
    expect(await first).toMatchObject({ event: "installed" });
  });

  it("repairs a damaged engine, which nobody is given meanwhile", async () => {
    const { installation } = await prepare();
    const { directory } = await installEngine(installation);
    const library = join(directory, "tensorflow/libtensorflow_cc.so.2");
    const bytes = await readFile(library);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(library, bytes);
    const found = await locate(installation.root);
    expect(found).toMatchObject({ location: null, damaged: true });
    expect(found.reasons[0]).toContain("libtensorflow_cc.so.2 has changed since it was installed");
    expect(await installEngine(installation)).toMatchObject({ event: "installed" });
    expect((await locate(installation.root)).location).not.toBeNull();
  });

  it("is not put in place when it can't be loaded", async () => {
    const { installation } = await prepare();
    const check = () => Promise.reject(new Error("does not load"));
    await expect(installEngine({ ...installation, check })).rejects.toThrow("does not load");
    expect((await locate(installation.root)).location).toBeNull();
    expect((await readdir(installation.root)).sort()).toEqual(["downloads"]);
  });

  it("asks for a compiler before anything is fetched", async () => {
    const { installation, server } = await prepare();
    const environment = { ["PATH"]: "/nowhere" };
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => installEngine({ ...installation, environment }));
    expect(refused.problem).toContain("no C++ compiler (looked for g++, c++, clang++)");
    expect(refused.remedy).toContain("apt-get install g++");
    expect(server.downloads).toEqual([]);
  });

  it("shows what the compiler says when it fails", async () => {
    const { installation } = await prepare();
    const compile = { ...installation.recipe.compile, defines: ["NAPI_VERSION=no_such_thing"] };
    const recipe = { ...installation.recipe, compile };
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => installEngine({ ...installation, recipe }));
    expect(refused.problem).toContain("failed with exit code 1");
    expect(refused.problem).toContain("no_such_thing");
    expect(refused.remedy).toContain("CXX");
  });

  it("is refused where the disk is too small, before anything is fetched", async () => {
    const { installation, server } = await prepare();
    const freeBytes = () => Promise.resolve(30_000_000);
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => installEngine({ ...installation, freeBytes }));
    expect(refused.problem).toMatch(/store has 30 MB free, and 3\d MB are needed$/);
    expect(refused.remedy).toContain("RINGSTRASSE_ENGINE_DIR");
    expect(server.downloads).toEqual([]);
  });

  it("is refused where the store can't be", async () => {
    const { installation } = await prepare();
    const file = join(await temporaryDirectory(), "file");
    await writeFile(file, "");
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () =>
      installEngine({ ...installation, root: join(file, "store") }),
    );
    expect(refused.problem).toContain("ENOTDIR");
    expect(refused.remedy).toContain("RINGSTRASSE_ENGINE_DIR");
  });

  it("is removed with what unfinished installations left", async () => {
    const { installation } = await prepare();
    const { root, recipe } = installation;
    const { directory } = await installEngine(installation);
    expect(await removeEngine(recipe, root)).toEqual({ directory, removed: true });
    expect((await locate(root)).location).toBeNull();
    expect(await readdir(root)).toEqual(["downloads"]);
    expect(await removeEngine(recipe, root)).toEqual({ directory, removed: false });
  });
});
