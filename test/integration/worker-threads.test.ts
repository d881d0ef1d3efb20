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

const SOCKETS = ["zeromq", "shared/transport/zeromq-sockets.js"];

/** zeromq loaded in two threads of one process corrupts the heap: only a worker's communication thread may load it. */
describe("threads of a worker", () => {
  it("the communication thread is the one that has sockets: the walk below does see them", () => {
    const reached = reachableFrom("worker/communication/communication-thread.js");
    expect([...reached]).toEqual(expect.arrayContaining(SOCKETS));
  });

  it.each(["worker/main.js", "worker/data/batch-reader-thread.js"])("%s never loads zeromq", (entry) => {
    const reached = reachableFrom(entry);
    expect(SOCKETS.filter((name) => reached.has(name))).toEqual([]);
    // The walk went somewhere.
    expect([...reached]).toContain(entry);
    expect(reached.size).toBeGreaterThan(entry === "worker/main.js" ? 60 : 3);
  });

  it("every thread's entry is known here", () => {
    const files = readdirSync(join(DIST, "worker"), { recursive: true, encoding: "utf8" });
    const entries = files
      .filter((name) => name.endsWith(".js"))
      .flatMap((name) => {
        const text = readFileSync(join(DIST, "worker", name), "utf8");
        return [...text.matchAll(/new Worker\(\s*new URL\(\s*["']([^"']+)["']/g)].map((match) => match[1] ?? "");
      });
    expect(entries.sort()).toEqual(["./batch-reader-thread.js", "./communication-thread.js"]);
  });
});
