import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { createDirectory } from "../../shared/create-directory.js";
import type { EnvironmentVariables } from "../../shared/engine-store/engine-directory.js";
import { engineUnavailable } from "./engine-failure.js";
import type { CompileRecipe } from "./engine-recipe.js";

/** The names that C++ compilers go by; `CXX` ranks over them. */
const COMPILERS = ["g++", "c++", "clang++"];
const LAST_LINES = 12;

/**
 * The C++ compiler to use.
 * @throws RingstrasseError ENGINE_UNAVAILABLE when there is none
 */
export async function findCompiler(engine: string, environment: EnvironmentVariables): Promise<string> {
  const chosen = environment["CXX"];
  const names = chosen === undefined || chosen === "" ? COMPILERS : [chosen];
  for (const name of names) {
    const path = await findProgram(name, environment["PATH"] ?? "");
    if (path !== null) return path;
  }
  const problem =
    names === COMPILERS
      ? `its binding has to be compiled, and there is no C++ compiler (looked for ${names.join(", ")})`
      : `CXX names the C++ compiler ${chosen}, which is not there`;
  const remedy =
    "Install one (Debian, Ubuntu: apt-get install g++; Fedora, Rocky: dnf install gcc-c++; clusters: module load gcc), or name it in CXX";
  throw engineUnavailable({ engine, problem, remedy });
}

async function findProgram(name: string, path: string): Promise<string | null> {
  const candidates = isAbsolute(name) ? [name] : path.split(delimiter).map((directory) => join(directory, name));
  for (const candidate of candidates) {
    const usable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return candidate;
  }
  return null;
}

export interface Compilation {
  /** For messages. */
  readonly engine: string;
  readonly recipe: CompileRecipe;
  readonly compiler: string;
  /** The engine's directory. */
  readonly directory: string;
  readonly environment: EnvironmentVariables;
  readonly signal: AbortSignal;
}

/**
 * Makes the binding by one call of the compiler. It finds its libraries relative to itself, so that the directory can
 * be moved.
 * @throws RingstrasseError ENGINE_UNAVAILABLE with the compiler's last words; the signal's reason
 */
export async function compileBinding(compilation: Compilation): Promise<void> {
  const { engine, recipe, compiler, directory, environment, signal } = compilation;
  await createDirectory(dirname(join(directory, recipe.output)));
  const depth = dirname(recipe.output)
    .split("/")
    .map(() => "..")
    .join("/");
  const args = [
    "-std=c++17",
    "-O2",
    "-fPIC",
    "-shared",
    // The sources are others': their warnings are not for our users.
    "-w",
    ...recipe.defines.map((define) => `-D${define}`),
    ...recipe.includeDirectories.map((include) => `-I${include}`),
    ...recipe.sources,
    `-L${recipe.libraryDirectory}`,
    ...recipe.libraries.map((library) => `-l:${library}`),
    `-Wl,-rpath,$ORIGIN/${depth}/${recipe.libraryDirectory}`,
    "-o",
    recipe.output,
  ];
  const { problem, output } = await run(compiler, args, { directory, environment, signal });
  signal.throwIfAborted();
  if (problem === null) return;
  const words = output.trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  const remedy = "A compiler for C++17 is needed (g++ 8 or newer); another one can be named in CXX";
  throw engineUnavailable({ engine, problem: `${compiler} ${problem} on its binding:\n${words}\n`, remedy });
}

interface Surroundings {
  readonly directory: string;
  readonly environment: EnvironmentVariables;
  readonly signal: AbortSignal;
}

function run(
  program: string,
  args: readonly string[],
  { directory, environment, signal }: Surroundings,
): Promise<{ problem: string | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: directory,
      env: { ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      signal,
    });
    let output = "";
    const take = (text: string): void => {
      output += text;
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.once("error", (cause) => (signal.aborted ? resolve({ problem: "was ended", output }) : reject(cause)));
    child.once("close", (code, ended) => {
      const problem = code === 0 ? null : ended === null ? `failed with exit code ${code}` : `was ended by ${ended}`;
      resolve({ problem, output });
    });
  });
}
