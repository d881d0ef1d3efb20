import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/run-command.js";

const DIST = join(ROOT, "dist");
const STATIC =
  /(?:^|[;\n])\s*(?:import|export)\s[^;'"]*?from\s*["']([^"']+)["']|(?:^|[;\n])\s*import\s*["']([^"']+)["']/g;
const DYNAMIC = /\b(?:import|require|createRequire\([^)]*\))\s*\(\s*["']([^"']+)["']\s*\)/g;

/** What a compiled module loads: static and dynamic imports; a thread's entry is named by a URL and so is none of them. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
  const found = [STATIC, DYNAMIC].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? ""),
  );
  return found.map((specifier) => (specifier.startsWith(".") ? resolve(dirname(file), specifier) : specifier));
}

/** All modules that loading `entry` can load in the same thread: files below dist/, as paths there, and packages by name. */
function reachableFrom(entry: string): Set<string> {
  const reached = new Set<string>();
  const waiting = [join(DIST, entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const name = file.startsWith(DIST) ? relative(DIST, file) : file;
    if (reached.has(name)) continue;
    reached.add(name);
    if (file.startsWith(DIST)) waiting.push(...importsOf(file));
  }
  return reached;
}

const SOCKETS = "zeromq";

/**
 * zeromq loaded in two threads of one process corrupts the heap: only a worker's communication thread may load it. Looked for in the
 * bundle, which is what runs, and in the modules that it is made of.
 */
describe("threads of a worker", () => {
  it.each([
    ["the bundle's communication thread", "worker/communication/communication-thread.js"],
    ["the modules of the control link", "worker/communication/control-connection.js"],
    ["the bundle's coordinator", "chunks/coordinator-main.js"],
  ])("%s has sockets: the walk below does see them", (_name, entry) => {
    expect([...reachableFrom(entry)]).toContain(SOCKETS);
  });

  it.each([
    ["worker/main.js", 60],
    ["chunks/worker-main.js", 6],
    ["worker/data/batch-reader-thread.js", 2],
  ])("%s never loads zeromq", (entry, least) => {
    const reached = reachableFrom(entry);
    expect([...reached]).not.toContain(SOCKETS);
    // The walk went somewhere.
    expect([...reached]).toContain(entry);
    expect(reached.size).toBeGreaterThanOrEqual(least);
  });

  it("every thread's entry is known here, and is in the bundle", () => {
    const chunks = join(DIST, "chunks");
    const entries = readdirSync(chunks).flatMap((name) => {
      const text = readFileSync(join(chunks, name), "utf8");
      const found = text.matchAll(/new Worker\(\s*new URL\("([^"]+)",\s*new URL\("([^"]+)", import\.meta\.url\)/g);
      return [...found].map(([, entry = "", module = ""]) => relative(DIST, resolve(chunks, dirname(module), entry)));
    });
    expect(entries.sort()).toEqual([
      "worker/communication/communication-thread.js",
      "worker/data/batch-reader-thread.js",
    ]);
    for (const entry of entries) expect(importsOf(join(DIST, entry)).join("\n")).toContain("/chunks/");
  });
});
