import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { engineDirectory, enginesDirectory, platformName } from "../../../../shared/engine-store/engine-directory.js";
import { engineRelease } from "../../../../shared/engine-store/engine-release.js";
import { locateEngine } from "../../../../shared/engine-store/locate-engine.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const RELEASE = engineRelease("tensorflow");
const FILES = { "binding/tfjs_binding.node": "binding", "tensorflow/libtensorflow_cc.so.2": "library" };

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

function manifest(change: Readonly<Record<string, unknown>> = {}): string {
  const { name, version, revision, device } = RELEASE;
  const files = Object.entries(FILES).map(([path, text]) => {
    return { path, sizeBytes: text.length, sha256: createHash("sha256").update(text).digest("hex") };
  });
  const when = { installedAt: "2026-01-01T00:00:00.000Z", installedBy: "0.1.0" };
  const places = { binding: "binding/tfjs_binding.node", libraries: "tensorflow" };
  const platform = platformName();
  const whole = { format: 1, name, version, revision, device, platform, ...when, sources: [], ...places, files };
  return JSON.stringify({ ...whole, ...change });
}

describe("where engines lie", () => {
  it("is the chosen directory, else the user's cache", () => {
    expect(enginesDirectory({ ["RINGSTRASSE_ENGINE_DIR"]: "/opt/e", ["XDG_CACHE_HOME"]: "/c" })).toBe("/opt/e");
    expect(enginesDirectory({ ["XDG_CACHE_HOME"]: "/c" })).toBe("/c/ringstrasse/engines");
    expect(enginesDirectory({ ["HOME"]: "/h", ["XDG_CACHE_HOME"]: "" })).toBe("/h/.cache/ringstrasse/engines");
  });

  it("has a directory for each version and platform", () => {
    expect(engineDirectory("/c", RELEASE)).toBe(`/c/tensorflow-${RELEASE.version}-${platformName()}`);
  });
});

describe("an engine in the store", () => {
  let root: string;
  let directory: string;
  const surroundings = (effort: "all" | "changed" = "changed") => {
    return { environment: { ["RINGSTRASSE_ENGINE_DIR"]: root }, projectDirectory: root, effort };
  };
  const locate = (effort?: "all" | "changed") => locateEngine("tensorflow", surroundings(effort));
  const library = () => join(directory, "tensorflow/libtensorflow_cc.so.2");

  beforeEach(async () => {
    root = await temporaryDirectory();
    directory = engineDirectory(root, RELEASE);
    for (const [path, text] of Object.entries(FILES)) await put(join(directory, path), text);
    await put(join(directory, "manifest.json"), manifest());
  });

  it("is found", async () => {
    expect(await locate()).toEqual({
      damaged: false,
      reasons: [],
      location: {
        name: "tensorflow",
        version: RELEASE.version,
        device: "cpu",
        origin: "store",
        directory,
        bindingPath: join(directory, "binding/tfjs_binding.node"),
        libraryDirectory: join(directory, "tensorflow"),
        tfjsNodeDirectory: null,
      },
    });
  });

  it("is refused after any change of a file, by name", async () => {
    await locate();
    await writeFile(library(), "Library");
    const reasons = [`${directory}: tensorflow/libtensorflow_cc.so.2 has changed since it was installed`];
    expect(await locate()).toMatchObject({ location: null, damaged: true, reasons });
  });

  it("is refused when a file is cut off or gone", async () => {
    await truncate(library(), 3);
    expect((await locate()).reasons[0]).toContain("tensorflow/libtensorflow_cc.so.2 has 3 bytes instead of 7");
    await rm(library());
    expect(await locate()).toMatchObject({ location: null, damaged: true });
    expect((await locate()).reasons[0]).toContain("tensorflow/libtensorflow_cc.so.2 is missing");
  });

  it("is read again only after a change: not at every start, but always for a list", async () => {
    await locate();
    const seal = await readFile(join(directory, "verified.json"), "utf8");
    await locate();
    expect(await readFile(join(directory, "verified.json"), "utf8")).toBe(seal);
    // The same bytes, written anew: read once more, found right, and noted.
    await writeFile(library(), "library");
    await utimes(library(), 1, 1);
    expect((await locate()).location).not.toBeNull();
    expect(await readFile(join(directory, "verified.json"), "utf8")).not.toBe(seal);
    // A seal that lies is not believed by a list.
    await writeFile(library(), "Library");
    const { size, mtimeNs, ctimeNs, ino } = await stat(library(), { bigint: true });
    const lie = { ...JSON.parse(seal), "tensorflow/libtensorflow_cc.so.2": [size, mtimeNs, ctimeNs, ino].join(" ") };
    await writeFile(join(directory, "verified.json"), JSON.stringify(lie));
    expect((await locate("all")).damaged).toBe(true);
  });

  it("works without a seal where nobody may write one, and with a damaged one", async () => {
    await writeFile(join(directory, "verified.json"), "{half");
    expect((await locate()).location).not.toBeNull();
    await rm(join(directory, "verified.json"));
    await chmod(directory, 0o555);
    expect((await locate()).location).not.toBeNull();
    await chmod(directory, 0o755);
  });

  it("is refused with a damaged, foreign or outdated manifest", async () => {
    const cases = [
      ["{", "manifest.json is damaged"],
      [manifest({ files: [] }), "manifest.json is damaged at files"],
      [manifest({ binding: "../../evil.node" }), "manifest.json is damaged at binding (leaves its directory)"],
      [manifest({ libraries: "/etc" }), "manifest.json is damaged at libraries"],
      [manifest({ version: "1.2.3" }), "holds tensorflow 1.2.3 for"],
      [manifest({ platform: "plan9-mips" }), "for plan9-mips instead of tensorflow"],
      [manifest({ revision: 0 }), "in a way that this version doesn't use any more"],
    ] as const;
    for (const [text, reason] of cases) {
      await writeFile(join(directory, "manifest.json"), text);
      const found = await locate();
      expect(found).toMatchObject({ location: null, damaged: true });
      expect(found.reasons[0]).toContain(reason);
    }
  });
});

describe("an engine that is not in the store", () => {
  const PACKAGE = "node_modules/@tensorflow/tfjs-node";

  it("is missing, and so is the user's own", async () => {
    const root = await temporaryDirectory();
    const environment = { ["RINGSTRASSE_ENGINE_DIR"]: root };
    const missing = await locateEngine("tensorflow-gpu", { environment, projectDirectory: root });
    expect(missing).toMatchObject({ location: null, damaged: false });
    const reasons = missing.reasons.join("; ");
    expect(reasons).toContain("it is not installed in ");
    expect(reasons).toContain(`@tensorflow/tfjs-node-gpu is not installed in ${root}`);
  });

  it("is the user's own tfjs-node, as its install script leaves it", async () => {
    const root = await temporaryDirectory();
    const directory = join(root, PACKAGE);
    await put(join(directory, "package.json"), '{"name":"@tensorflow/tfjs-node","version":"4.22.0"}');
    const surroundings = { environment: { ["RINGSTRASSE_ENGINE_DIR"]: join(root, "none") }, projectDirectory: root };
    const missing = await locateEngine("tensorflow", surroundings);
    expect(missing.reasons[1]).toBe(`${directory} has no built binding: its install script did not run or failed`);
    await put(join(directory, "lib/napi-v8/tfjs_binding.node"), "");
    const without = await locateEngine("tensorflow", surroundings);
    expect(without.reasons[1]).toBe(
      `${directory}/deps/lib has no TensorFlow library: its install script did not run or failed`,
    );
    await put(join(directory, "deps/lib/libtensorflow.so.2"), "");
    expect((await locateEngine("tensorflow", surroundings)).location?.version).toBe("tfjs-node 4.22.0");
    await put(join(directory, "deps/lib/libtensorflow.so.2.9.1"), "");
    expect((await locateEngine("tensorflow", surroundings)).location).toEqual({
      name: "tensorflow",
      version: "2.9.1",
      device: "cpu",
      origin: "project",
      directory,
      tfjsNodeDirectory: directory,
      bindingPath: join(directory, "lib/napi-v8/tfjs_binding.node"),
      libraryDirectory: join(directory, "deps/lib"),
    });
  });
});
