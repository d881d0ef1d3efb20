import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";

/** Burns one core. Looks at its parent twice a second, so that it does not outlive a benchmark that was killed. */
const BURN = `
const parent = process.ppid;
while (process.ppid === parent) {
  const until = Date.now() + 500;
  while (Date.now() < until);
}
`;

/** Processes that do nothing but compute, until disposed of. */
export class BusyCores implements AsyncDisposable {
  readonly #children: readonly ChildProcess[];

  /** @param count processes to start; twice the number of cores is a machine on which everything waits half of the time */
  constructor(count: number) {
    this.#children = Array.from({ length: count }, () => spawn(process.execPath, ["-e", BURN], { stdio: "ignore" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        await gone;
      }),
    );
  }
}
