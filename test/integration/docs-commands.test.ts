import { spawnSync } from "node:child_process";
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { type Block, blocksOf, quoted, Shell } from "../support/page-shell.js";
import { ROOT, startCommand } from "../support/run-command.js";
import { type Serving, startServing, stopServing } from "../support/serving.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

interface CommandLine {
  readonly env: Record<string, string>;
  readonly args: string[];
}

/** `NAME=value … npx ringstrasse ARGS`, without quotes. */
function commandLine(text: string): CommandLine {
  const words = text.trim().split(/\s+/);
  const from = words.indexOf("npx");
  expect(words.slice(from, from + 2)).toEqual(["npx", "ringstrasse"]);
  const env = Object.fromEntries(words.slice(0, from).map((word) => word.split(/=(.*)/s).slice(0, 2)));
  return { env, args: words.slice(from + 2) };
}

/** Follows a page as a reader does. */
class Reader {
  readonly outputs: string[] = [];
  readonly #folder: string;
  readonly #shell: Shell;
  #serving: Serving | null = null;

  constructor(folder: string) {
    this.#folder = folder;
    this.#shell = new Shell(folder);
  }

  async follow(page: string): Promise<void> {
    for (const block of blocksOf(await readFile(join(ROOT, page), "utf8"))) {
      const what = `${page}:${block.line}`;
      if (block.marker === "serve") await this.#serve(commandLine(block.text));
      else if (block.marker === "background") this.#start(commandLine(block.text));
      else this.outputs.push(await this.#shell.run(this.#scriptOf(block), what));
    }
    if (this.#serving !== null) expect(await stopServing(this.#serving)).toBe(0);
  }

  async #serve({ env, args: [name, ...args] }: CommandLine): Promise<void> {
    expect(name).toBe("serve");
    if (this.#serving !== null) expect(await stopServing(this.#serving)).toBe(0);
    const at = args.indexOf("--workers");
    const [, workers] = at === -1 ? [] : args.splice(at, 2);
    this.#serving = await startServing({ workers: Number(workers ?? 1), args, env, cwd: this.#folder });
    await this.#shell.run(`export SERVER=${this.#serving.url}`, "the server's address");
  }

  #start({ env, args }: CommandLine): void {
    const { controlEndpoint, workerToken } = this.#current();
    const named = Object.entries(env).map(([name, value]) => [name, value === "…" ? workerToken : value] as const);
    const known = named.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
    startCommand(
      args.map((arg) => arg.replace("tcp://127.0.0.1:7070", controlEndpoint)),
      { env: Object.fromEntries(known), cwd: this.#folder },
    );
  }

  #scriptOf({ language, text }: Block): string {
    const here = text.replaceAll("http://127.0.0.1:8080", this.#current().url);
    if (language === "sh") return here;
    // Packages are found from the repository's root.
    return `export JOB; (cd ${quoted(ROOT)}; ${quoted(process.execPath)} --input-type=module -e ${quoted(here)})`;
  }

  #current(): Serving {
    if (this.#serving === null) throw new Error("the page runs commands before it starts a server");
    return this.#serving;
  }
}

async function readerOf(page: string): Promise<string[]> {
  const folder = await temporaryDirectory();
  await symlink(join(ROOT, "examples"), join(folder, "examples"));
  const reader = new Reader(folder);
  await reader.follow(page);
  return reader.outputs;
}

const HAS_CURL = spawnSync("curl", ["--version"]).status === 0;

describe.skipIf(!HAS_CURL)("commands of the documentation (needs curl)", () => {
  it("docs/service.md: from upload to result, workers, curves, model, monitoring, runs elsewhere", async () => {
    const outputs = await readerOf("docs/service.md");
    const all = outputs.join("\n");
    const [queued = "", result = ""] = outputs;
    const [, id] = /^\["([0-9a-f]{24})"\]/m.exec(queued) ?? [];
    expect(result).toMatch(new RegExp(`\\{"${id}":"FINISHED"\\}\\s+FINISHED\\s+0\\.9\\d*\\s*$`));
    expect(all).toContain('"workers":3');
    expect(all).toMatch(/^63$/m);
    expect(all).toMatch(/^event: finished\ndata: .*"weightsSha256":"[0-9a-f]{64}"/m);
    expect(all).toMatch(/\[ 'model\.json', 'weights\.bin', 'model\.safetensors' \]/);
    expect(all).toMatch(/^\[ null, 3 \]$/m);
    expect(all).toMatch(/^0\.9\d*\n\[ \[ 50, 0, 0 \], \[ 0, \d+, \d+ \], \[ 0, \d+, \d+ \] \]$/m);
    expect(all).toMatch(/^ringstrasse_jobs\{status="FINISHED"\} 1$/m);
    expect(outputs.at(-1)).toMatch(/FINISHED"\}\s*$/);
  });

  it("README.md: a job of the service in three commands", async () => {
    const [output = ""] = await readerOf("README.md");
    expect(output).toMatch(/"file":"[0-9a-f]{24}".*"name":"Iris classification","status":"QUEUED"/s);
  });

  it("docs/security.md: what each token may do, and what is refused", async () => {
    const outputs = await readerOf("docs/security.md");
    expect(outputs.map((output) => output.trim().split(/\s+/))).toEqual([["401", "200", "403", "201"]]);
  });
});
