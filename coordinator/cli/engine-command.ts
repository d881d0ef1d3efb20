import type { OptionTable, OptionValues } from "../../shared/cli/option-table.js";
import type { CommandDefinition } from "../../shared/cli/parse-command.js";
import { type CommandInputs, parseCommand } from "../../shared/cli/parse-command.js";
import { type EnvironmentVariables, enginesDirectory } from "../../shared/engine-store/engine-directory.js";
import { engineRelease, NATIVE_ENGINE_NAMES, type NativeEngineName } from "../../shared/engine-store/engine-release.js";
import { RingstrasseError } from "../../shared/failure.js";
import { checkEngine } from "../engines/check-engine.js";
import { engineUnavailable } from "../engines/engine-failure.js";
import { type EngineRecipe, engineRecipe } from "../engines/engine-recipe.js";
import { openHttpClient } from "../engines/http-client.js";
import { installEngine } from "../engines/install-engine.js";
import type { InstallEvent, InstalledEvent } from "../engines/install-event.js";
import { listEngines } from "../engines/list-engines.js";
import { currentPlatform } from "../engines/platform-check.js";
import { readRegistryAddresses } from "../engines/registry-addresses.js";
import { removeEngine } from "../engines/remove-engine.js";
import { ENGINE_HELP, ENGINE_INSTALL_COMMAND, ENGINE_LIST_COMMAND, ENGINE_REMOVE_COMMAND } from "./engine-commands.js";
import { engineTable } from "./engine-table.js";

export interface EngineCommandSurroundings {
  readonly environment: EnvironmentVariables;
  readonly projectDirectory: string;
  /** Of the node binary. */
  readonly execPath: string;
  /** The program's entry point, for checking processes. */
  readonly entry: string;
  readonly cores: number;
  readonly version: string;
  readonly emit: (event: InstallEvent) => void;
  readonly signal: AbortSignal;
}

export interface EngineCommandOutcome {
  /** For stdout. */
  readonly text: string;
  readonly exitCode: number;
}

/** The exit code of `engine list` when an engine that is here can't be used. */
const ENVIRONMENT_FAULT = 4;
/** One second for a list; an installation only has to know that it works. */
const INSTALL_CHECK_SECONDS = 0.2;

/**
 * `ringstrasse engine list|install|remove`.
 * @throws RingstrasseError USAGE, ENGINE_UNAVAILABLE, INTERRUPTED
 */
export async function runEngineCommand(
  args: readonly string[],
  around: EngineCommandSurroundings,
): Promise<EngineCommandOutcome> {
  const [action, ...rest] = args;
  switch (action) {
    case "list":
      return await withOptions(ENGINE_LIST_COMMAND, rest, around, ({ values }) => list(values, around));
    case "install":
      return await withOptions(ENGINE_INSTALL_COMMAND, rest, around, ({ positionals, values }) =>
        install(positionals[0] ?? "", values, around),
      );
    case "remove":
      return await withOptions(ENGINE_REMOVE_COMMAND, rest, around, ({ positionals, values }) =>
        remove(positionals[0] ?? "", values, around),
      );
    case "--help":
    case "-h":
    case "help":
      return { text: ENGINE_HELP, exitCode: 0 };
    default: {
      const problem = action === undefined ? "an action is missing" : `there is no action "${action}"`;
      const remedy = "Use: ringstrasse engine list, install or remove";
      throw new RingstrasseError({ code: "USAGE", option: "engine", problem, remedy });
    }
  }
}

async function withOptions<Table extends OptionTable>(
  command: CommandDefinition<Table>,
  args: readonly string[],
  { environment, version }: EngineCommandSurroundings,
  run: (given: { positionals: readonly string[]; values: OptionValues<Table> }) => Promise<EngineCommandOutcome>,
): Promise<EngineCommandOutcome> {
  const inputs: CommandInputs = { args, environment, version };
  const given = await parseCommand(command, inputs);
  return "print" in given ? { text: given.print, exitCode: 0 } : await run(given);
}

async function list(
  { quick, threads, json }: OptionValues<typeof ENGINE_LIST_COMMAND.options>,
  { environment, projectDirectory, entry, cores, signal }: EngineCommandSurroundings,
): Promise<EngineCommandOutcome> {
  const engines = await listEngines({
    environment,
    projectDirectory,
    cores,
    threads: threads ?? 1,
    quick: quick === true,
    check: (engine, location, used) =>
      checkEngine(engine, location, { entry, environment, threads: used, seconds: 1, signal }),
  });
  const text = json === true ? engines.map((engine) => JSON.stringify(engine)).join("\n") : engineTable(engines);
  return { text, exitCode: engines.some(({ status }) => status === "broken") ? ENVIRONMENT_FAULT : 0 };
}

async function install(
  name: string,
  { force, json }: OptionValues<typeof ENGINE_INSTALL_COMMAND.options>,
  around: EngineCommandSurroundings,
): Promise<EngineCommandOutcome> {
  const { environment, projectDirectory, execPath, entry, emit, signal } = around;
  const recipe = recipeNamed(name);
  const registries = await readRegistryAddresses({ environment, projectDirectory, execPath }).catch(
    (cause: unknown) => {
      throw settingsFailure(recipe, cause);
    },
  );
  await using http = openHttp(recipe, environment, registries.certificates);
  const installed = await installEngine({
    recipe,
    root: enginesDirectory(environment),
    platform: currentPlatform(),
    http,
    registries,
    environment,
    check: (location) =>
      checkEngine(recipe.release.name, location, {
        entry,
        environment,
        threads: 1,
        seconds: INSTALL_CHECK_SECONDS,
        signal,
      }),
    force: force === true,
    emit,
    signal,
  });
  return { text: json === true ? JSON.stringify(installed) : describeInstalled(installed), exitCode: 0 };
}

function openHttp({ release }: EngineRecipe, environment: EnvironmentVariables, certificates: readonly string[]) {
  try {
    return openHttpClient(environment, certificates);
  } catch (cause) {
    const problem = `the proxy or certificate settings can't be used (${cause instanceof Error ? cause.message : String(cause)})`;
    const remedy = "Check http_proxy and https_proxy, npm's cafile and pip's cert";
    throw engineUnavailable({ engine: release.name, problem, remedy }, cause);
  }
}

function settingsFailure({ release }: EngineRecipe, cause: unknown): unknown {
  if (!(cause instanceof TypeError)) return cause;
  const problem = `a registry's address is no URL (${cause.message})`;
  const remedy =
    "Check npm's registry setting (npm config get registry) and pip's index-url (pip config get global.index-url)";
  return engineUnavailable({ engine: release.name, problem, remedy }, cause);
}

function describeInstalled({ event, engine, version, directory, ...figures }: InstalledEvent): string {
  const { sizeBytes, transferredBytes, wallMs } = figures;
  const size = `${Math.round(sizeBytes / 1e6)} MB`;
  if (event === "present")
    return `${engine} ${version} is already installed in ${directory} (${size}, checksums right)`;
  const how = `${Math.round(transferredBytes / 1e6)} MB fetched, ${(wallMs / 1000).toFixed(1)} s`;
  return `${engine} ${version} is installed in ${directory} (${size}; ${how}). Use it with --engine ${engine}`;
}

async function remove(
  name: string,
  { json }: OptionValues<typeof ENGINE_REMOVE_COMMAND.options>,
  { environment }: EngineCommandSurroundings,
): Promise<EngineCommandOutcome> {
  const recipe = recipeNamed(name);
  const engine = recipe.release.name;
  const { removed, directory } = await removeEngine(recipe, enginesDirectory(environment));
  const told = { event: removed ? "removed" : "absent", engine, directory };
  if (json === true) return { text: JSON.stringify(told), exitCode: 0 };
  const text = removed ? `${engine} is removed from ${directory}` : `${engine} is not installed in ${directory}`;
  return { text, exitCode: 0 };
}

/** By device, or by the engine's own name. */
function recipeNamed(name: string): EngineRecipe {
  const known = NATIVE_ENGINE_NAMES.find((engine) => engine === name || engineRelease(engine).device === name);
  if (known !== undefined) return engineRecipe(known satisfies NativeEngineName);
  const problem =
    name === "wasm" ? "wasm is always there: it is an npm package" : `there is no engine "${name}" to install`;
  throw new RingstrasseError({ code: "USAGE", option: "cpu|gpu", problem, remedy: "Name one of cpu, gpu" });
}
