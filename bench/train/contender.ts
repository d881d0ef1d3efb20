import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { type Burst, BurstSchema, type Ready, ReadySchema } from "./contender-messages.js";

/** Who takes part, and how it is started. */
export interface ContenderPlan {
  /** Unique, for results. */
  readonly name: string;
  /** Program and arguments, before the workload's path and what follows it. */
  readonly command: readonly string[];
  /** Behind the workload's path, before the number of threads. */
  readonly settings: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Most threads that it can use. */
  readonly mostThreads: number;
}

/** A library training in a process of its own, pinned to some cores; it waits, and uses no processor, between bursts of steps. */
export class Contender implements AsyncDisposable {
  readonly name: string;
  readonly ready: Ready;
  readonly #process: ContenderProcess;

  private constructor(name: string, ready: Ready, child: ContenderProcess) {
    this.name = name;
    this.ready = ready;
    this.#process = child;
  }

  /** @throws Error with the end of its log when it can't be started, or ends */
  static async start(plan: ContenderPlan, workloadPath: string, cores: readonly number[]): Promise<Contender> {
    const parameters = [workloadPath, ...plan.settings, String(cores.length)];
    const child = new ContenderProcess(plan.name, {
      command: ["taskset", "-c", cores.join(","), ...plan.command, ...parameters],
      environment: plan.environment,
    });
    try {
      return new Contender(plan.name, ReadySchema.parse(await child.nextLine()), child);
    } catch (thrown) {
      await child.end();
      throw thrown;
    }
  }

  /** One call at a time. @throws Error with the end of its log when it ends instead */
  async run(steps: number): Promise<Burst> {
    this.#process.write(`${steps}\n`);
    return BurstSchema.parse(await this.#process.nextLine());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.end();
  }
}

interface Started {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

class ContenderProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<string>;
  #log = "";

  constructor(name: string, { command, environment }: Started) {
    const [file = "", ...args] = command;
    this.#name = name;
    const child = spawn(file, args, { stdio: "pipe", env: { ...process.env, ...environment } });
    this.#child = child;
    this.#input = child.stdin;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#log = (this.#log + text).slice(-4000);
    });
    // Writing to a process that has ended is told by its missing answer.
    child.stdin.on("error", (error) => {
      this.#log += `\n${error.message}`;
    });
    this.#ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
    });
  }

  write(text: string): void {
    this.#input.write(text);
  }

  async nextLine(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done !== true) return JSON.parse(value);
    throw new Error(`${this.#name}: ${await this.#ended}\n${this.#log}`);
  }

  /** Ends at the end of its input. */
  async end(): Promise<void> {
    if (this.#child.exitCode === null) this.#input.end();
    await this.#ended;
  }
}
