import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { onTestFinished } from "vitest";
import { ROOT } from "./run-command.js";

/** What is to be done with a block, by the second word behind its fence. */
type Marker = "serve" | "background" | "build" | "run";

export interface Block {
  readonly language: string;
  readonly marker: Marker;
  readonly text: string;
  /** 1-based line of its first line in the page. */
  readonly line: number;
}

export function blocksOf(markdown: string): Block[] {
  const found = markdown.matchAll(/^```(sh|js) (serve|background|build|run)\n([\s\S]*?)^```$/gm);
  return [...found].map(({ index, 1: language = "", 2: marker, 3: text = "" }) => {
    return { language, marker: marker as Marker, text, line: markdown.slice(0, index).split("\n").length + 1 };
  });
}

export interface ShellSurroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Command and arguments that are given the shell to run. */
  readonly through?: readonly string[];
  /** Run before the first block, e.g. functions in the place of commands. */
  readonly prelude?: string;
}

/** One shell for all blocks of a page, as a reader has it: what a block sets, the next one finds. It ends with the first command that fails. */
export class Shell {
  readonly #child;
  #output = "";
  #wake: () => void = () => undefined;

  constructor(cwd: string, { env = process.env, through = [], prelude = "" }: ShellSurroundings = {}) {
    const [file = "bash", ...args] = [...through, "bash", "-eu"];
    this.#child = spawn(file, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"], detached: true });
    onTestFinished(() => void (this.#child.exitCode ?? process.kill(-(this.#child.pid ?? 0), "SIGKILL")));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
        this.#wake();
      });
    }
    this.#child.stdin.on("error", () => undefined);
    this.#child.once("close", () => this.#wake());
    // The command as it was compiled, not one that npx would find or fetch.
    const npx = `npx() { shift; ${quoted(process.execPath)} ${quoted(join(ROOT, "dist/ringstrasse.js"))} "$@"; }`;
    this.#child.stdin.write(`${npx}\n${prelude}\n`);
  }

  /** @returns what the commands wrote @throws with it when one failed */
  async run(text: string, what: string): Promise<string> {
    const end = `--- end of ${what} ---`;
    const before = this.#output.length;
    this.#child.stdin.write(`${text}\necho ${quoted(end)}\n`);
    for (;;) {
      const written = this.#output.slice(before);
      const at = written.indexOf(end);
      if (at !== -1) return written.slice(0, at);
      if (this.#child.exitCode !== null)
        throw new Error(`${what} failed (${this.#child.exitCode}):\n${text}\n${written}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** For a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
