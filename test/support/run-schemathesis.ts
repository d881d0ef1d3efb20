import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryDirectory } from "./temporary-directory.js";

export interface SchemathesisRun {
  readonly python: string;
  /** Of the server. */
  readonly url: string;
  /** Values that path parameters often have, by the parameter's name. */
  readonly known: Readonly<Record<string, readonly string[]>>;
  readonly checks: readonly string[];
  readonly phases: readonly string[];
  /** Of each operation and phase. */
  readonly examples: number;
  readonly seed: number;
  readonly token?: string;
}

export interface SchemathesisEnd {
  readonly exitCode: number;
  /** What it printed, cut to a length that fits a message. */
  readonly output: string;
  /** One line each. */
  readonly failures: readonly string[];
  readonly cases: number;
}

/** Part of the cases in which a known value is taken: the others look for what isn't there. */
const KNOWN_SHARE = 0.8;

/** Runs schemathesis against `/docs/json` of a running server. @throws when it can't run at all */
export async function runSchemathesis(run: SchemathesisRun): Promise<SchemathesisEnd> {
  const folder = await temporaryDirectory();
  const config = join(folder, "schemathesis.toml");
  await writeFile(config, configOf(run.known));
  const args = [
    "-m",
    "schemathesis.cli",
    "--no-color",
    `--config-file=${config}`,
    "run",
    `${run.url}/docs/json`,
    `--checks=${run.checks.join(",")}`,
    `--phases=${run.phases.join(",")}`,
    `--max-examples=${run.examples}`,
    `--seed=${run.seed}`,
    "--generation-database=:memory:",
    "--no-shrink",
    "--continue-on-failure",
    "--request-timeout=20",
    "--suppress-health-check=all",
    "--warnings=off",
    ...(run.token === undefined ? [] : ["--header", `Authorization:Bearer ${run.token}`]),
  ];
  const { exitCode, output } = await execute(run.python, args, folder);
  const failures = [...output.matchAll(/^- (.+)$/gm)].map(([, title = ""]) => title);
  return { exitCode, output: shortened(output), failures, cases: casesOf(output) };
}

/** What is refused for its length alone is refused rightly. */
function configOf(known: SchemathesisRun["known"]): string {
  const dictionaries = Object.entries(known).map(([name, values]) => {
    return `[dictionaries.${name}]\nvalues = ${JSON.stringify(values)}\n`;
  });
  const parameters = Object.keys(known).map((name) => {
    return `"path.${name}" = { dictionary = "${name}", probability = ${KNOWN_SHARE} }`;
  });
  const expected = "expected-statuses = [400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 416, 431, 507]";
  return `${dictionaries.join("")}[parameters]\n${parameters.join("\n")}\n[checks.negative_data_rejection]\n${expected}\n`;
}

async function execute(python: string, args: readonly string[], cwd: string) {
  try {
    const options = {
      cwd,
      maxBuffer: 2 ** 28,
      env: { PYTHONUTF8: "1", HYPOTHESIS_STORAGE_DIRECTORY: join(cwd, "hypothesis") },
    };
    const { stdout, stderr } = await promisify(execFile)(python, args, options);
    return { exitCode: 0, output: `${stdout}${stderr}` };
  } catch (thrown) {
    if (!(thrown instanceof Error && "stdout" in thrown && "code" in thrown && typeof thrown.code === "number"))
      throw thrown;
    return { exitCode: thrown.code, output: String(thrown.stdout) };
  }
}

function casesOf(output: string): number {
  return Number(/^ +(\d+) generated/m.exec(output)?.[1] ?? 0);
}

/** Lines as long as addresses can be tell nothing more. */
function shortened(output: string): string {
  return output
    .split("\n")
    .map((line) => line.slice(0, 400))
    .join("\n")
    .slice(-20_000);
}
