import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { ContenderPlan } from "./contender.js";

/** Compiled to dist/bench/train/, three folders below the repository's root: Python's files stay in its sources. */
const SCRIPTS = fileURLToPath(new URL("../../../bench/peers/", import.meta.url));

interface Library {
  readonly name: string;
  readonly script: string;
  /** Prints the version; ends with an error where the library isn't there, or not as it should be. */
  readonly probe: string;
  readonly install: string;
}

/** Debian's PyTorch without OpenBLAS is 20 times slower: nothing to compare with. */
const TORCH_PROBE = `import torch
assert torch.backends.mkl.is_available() or "openblas" in open("/proc/self/maps").read(), "it has no fast BLAS"
print(torch.__version__)`;
const KERAS_PROBE = `import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, tensorflow
print(keras.__version__, "on TensorFlow", tensorflow.__version__)`;

const PYTORCH: Library = {
  name: "PyTorch",
  script: "torch_steps.py",
  probe: TORCH_PROBE,
  install:
    "npm run bench:train -- --install-peers, or: apt-get install python3-torch python3-numpy libopenblas0-pthread",
};
const LIBRARIES: readonly Library[] = [
  PYTORCH,
  { name: "Keras", script: "keras_steps.py", probe: KERAS_PROBE, install: "npm run bench:train -- --install-peers" },
];

export interface Peers {
  readonly plans: readonly ContenderPlan[];
  /** Who doesn't take part and why, with the command that would change that. */
  readonly skipped: readonly string[];
}

/** `$XDG_CACHE_HOME/ringstrasse/peers`, else below `~/.cache`. */
export function peersDirectory(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "ringstrasse", "peers");
}

/** A library in some Python. */
export interface FoundLibrary {
  /** Name and version, e.g. `PyTorch 2.15.0`. */
  readonly full: string;
  readonly python: string;
}

/** The peers that the system's Python and the virtual environment `directory` have; each version once. */
export async function findPeers(directory: string): Promise<Peers> {
  const plans: ContenderPlan[] = [];
  const skipped: string[] = [];
  for (const library of LIBRARIES) {
    const { found, problem } = await findLibrary(library, directory);
    if (problem !== null) skipped.push(problem);
    for (const { full, python } of found) plans.push(plainContender(full, [python, join(SCRIPTS, library.script)]));
  }
  return { plans, skipped };
}

/** The versions of PyTorch that the system's Python and the virtual environment `directory` have. */
export async function findPyTorch(directory: string): Promise<{
  readonly found: readonly FoundLibrary[];
  /** Why there is none, and what would change that; null: there is one. */
  readonly problem: string | null;
}> {
  return await findLibrary(PYTORCH, directory);
}

/** A Python script as a contender that takes any number of threads. @param settings as {@link ContenderPlan} has them */
export function scriptContender({ full, python }: FoundLibrary, script: string, settings: readonly string[] = []) {
  return { ...plainContender(full, [python, join(SCRIPTS, script)]), settings };
}

function plainContender(name: string, command: readonly string[]): ContenderPlan {
  return { name, command, settings: [], environment: {}, mostThreads: Number.POSITIVE_INFINITY };
}

async function findLibrary({ name, probe, install }: Library, directory: string) {
  const found = new Map<string, FoundLibrary>();
  const reasons: string[] = [];
  for (const python of [join(directory, "bin/python"), "/usr/bin/python3", "python3"]) {
    const { exitCode, output, log } = await runQuietly(python, ["-c", probe]);
    const full = `${name} ${output.trim()}`;
    if (exitCode !== 0) reasons.push(`${python}: ${log.trim().split("\n").at(-1) ?? "it ended with an error"}`);
    else if (!found.has(full)) found.set(full, { full, python });
  }
  const problem = found.size > 0 ? null : `${name} is not here (${reasons.join("; ")}). To install it: ${install}`;
  return { found: [...found.values()], problem };
}

/**
 * Installs the peers: newest PyTorch and tensorflow-cpu from PyPI into a virtual environment, and Debian's PyTorch with OpenBLAS where there
 * is apt-get and this is root. Every command is shown on stderr before it runs. @throws Error when one fails
 */
export async function installPeers(directory: string): Promise<void> {
  await runLoudly("python3", ["-m", "venv", directory]);
  await runLoudly(join(directory, "bin/pip"), ["install", "torch", "numpy", "tensorflow-cpu"]);
  const packages = ["python3-torch", "python3-numpy", "libopenblas0-pthread"];
  const apt = ["install", "--yes", "--no-install-recommends", ...packages];
  const isDebian = await access("/usr/bin/apt-get").then(
    () => true,
    () => false,
  );
  if (isDebian && process.getuid?.() === 0) await runLoudly("/usr/bin/apt-get", apt);
  else if (isDebian) process.stderr.write(`for Debian's PyTorch, run as root: apt-get ${apt.join(" ")}\n`);
}

async function runLoudly(file: string, args: readonly string[]): Promise<void> {
  process.stderr.write(`$ ${[file, ...args].join(" ")}\n`);
  const child = spawn(file, args, { stdio: ["ignore", process.stderr, process.stderr] });
  const how = await new Promise<string | null>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("close", (code, signal) =>
      resolve(code === 0 ? null : `it ended with ${signal ?? `exit code ${code}`}`),
    );
  });
  if (how !== null) throw new Error(`${file}: ${how}`);
}

interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
  readonly log: string;
}

function runQuietly(file: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let log = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    child.once("error", ({ message }) => resolve({ exitCode: null, output, log: message }));
    child.once("close", (exitCode) => resolve({ exitCode, output, log }));
  });
}
