import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SlurmCommands } from "../../coordinator/submit/slurm-commands.js";

export type SlurmCommand = "sinfo" | "sbatch" | "squeue" | "sacct" | "scancel";

/** What each command does while nothing is wrong: one node, jobs that wait until they are cancelled. */
const WORK: Readonly<Record<SlurmCommand, string>> = {
  sinfo: "echo 'main*|up|node1|4|(null)|idle|infinite'",
  sbatch: `for script; do :; done
number=$(($(wc -l < jobs) + 1))
echo "$number|PENDING|0|Priority|$(sed -n 's/^#SBATCH --job-name=//p' "$script" | head -n 1)|" >> jobs
echo "$number"`,
  squeue: "cat jobs",
  sacct: "true",
  scancel: 'echo "$1" >> cancelled',
};

/** Slurm's commands as shell scripts in a folder of the test's, without a cluster behind them. */
export class FakeSlurm {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<FakeSlurm> {
    const slurm = new FakeSlurm(folder);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "jobs"), "");
    for (const [name, work] of Object.entries(WORK)) {
      const fault = `echo $$ >> ${name}.times\nenv > ${name}.environment\nif [ -e ${name}.fault ]; then . ./${name}.fault; fi`;
      const path = join(folder, name);
      await writeFile(path, `#!/bin/sh\ncd ${folder} || exit 99\n${fault}\n${work}\n`);
      await chmod(path, 0o755);
    }
    return slurm;
  }

  /** @param patienceMs default: as long as the product waits */
  commands(patienceMs?: number): SlurmCommands {
    return new SlurmCommands({ PATH: `${this.#folder}:/usr/bin:/bin` }, [], patienceMs);
  }

  /** The command says this and fails, until it is {@link mend}ed. */
  async fail(command: SlurmCommand, words: string): Promise<void> {
    await this.#fault(command, `echo '${words}' >&2\nexit 1`);
  }

  /** The command says this instead, until it is {@link mend}ed. */
  async say(command: SlurmCommand, words: string): Promise<void> {
    await this.#fault(command, `echo '${words}'\nexit 0`);
  }

  /** The command takes for ever; {@link hung} tells of it. */
  async hang(command: SlurmCommand): Promise<void> {
    await this.#fault(command, `echo $$ >> ${command}.hung\nexec sleep 100000`);
  }

  /** The command does its work, and then takes for ever. */
  async take(command: SlurmCommand): Promise<void> {
    await this.#fault(command, `${WORK[command]}\nexec sleep 100000`);
  }

  /** How often it was run. */
  async times(command: SlurmCommand): Promise<number> {
    return (await this.#lines(`${command}.times`)).length;
  }

  /** There is no such command from here on. */
  async remove(command: SlurmCommand): Promise<void> {
    await rm(join(this.#folder, command));
  }

  /** The environment of its last run: lines `NAME=VALUE`. */
  environmentOf(command: SlurmCommand): Promise<string[]> {
    return this.#lines(`${command}.environment`);
  }

  async mend(command: SlurmCommand): Promise<void> {
    await rm(join(this.#folder, `${command}.fault`), { force: true });
  }

  /** Processes of the command that hung, or still do. */
  async hung(command: SlurmCommand): Promise<number[]> {
    return (await this.#lines(`${command}.hung`)).map(Number);
  }

  /** Names of the jobs that were submitted. */
  async submitted(): Promise<string[]> {
    return (await this.#lines("jobs")).map((line) => line.split("|")[4] ?? "");
  }

  async #fault(command: SlurmCommand, script: string): Promise<void> {
    await writeFile(join(this.#folder, `${command}.fault`), `${script}\n`);
  }

  async #lines(name: string): Promise<string[]> {
    const text = await readFile(join(this.#folder, name), "utf8").catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }
}
