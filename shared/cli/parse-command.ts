import yargs from "yargs";
import { RingstrasseError } from "../failure.js";
import { describeCommand } from "./command-help.js";
import {
  filePath,
  flagIsOn,
  type OptionTable,
  type ResolvedOptions,
  resolveOptions,
  switchValue,
} from "./option-table.js";

export interface CommandDefinition<Table extends OptionTable> {
  readonly name: string;
  readonly describe: string;
  /** Names of the positional arguments, all needed. */
  readonly positionals: readonly { readonly name: string; readonly describe: string }[];
  readonly options: Table;
  readonly examples: readonly (readonly [string, string])[];
}

export interface ParsedCommand<Table extends OptionTable> extends ResolvedOptions<Table> {
  readonly positionals: readonly string[];
}

export interface CommandInputs {
  /** Without the command's own name. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

type Arguments = Readonly<Record<string, unknown>> & { readonly _: readonly (string | number)[] };

/** What every command takes beside its own options. */
const COMMON_OPTIONS = {
  config: {
    group: "Other:",
    describe: "A JSON file of options, named as here; flags and RINGSTRASSE_… variables rank over it",
    schema: filePath,
    placeholder: "FILE",
  },
  help: { group: "Other:", describe: "Show this text", schema: switchValue, isSwitch: true },
  version: { group: "Other:", describe: "Show the version", schema: switchValue, isSwitch: true },
} as const satisfies OptionTable;

/**
 * Reads one command's arguments. Values are taken as text by yargs and checked by the option table, so that flags, environment and
 * config file obey the same rules and errors name the source.
 * @returns the arguments, or the text to print for `--help` and `--version`.
 * @throws RingstrasseError USAGE
 */
export async function parseCommand<Table extends OptionTable>(
  command: CommandDefinition<Table>,
  inputs: CommandInputs,
): Promise<ParsedCommand<Table> | { readonly print: string }> {
  const { args, environment, version } = inputs;
  // Before any complaint: who asks for help may not know better.
  if (flagIsOn("help", args) || args.includes("-h")) return { print: helpOf(command) };
  if (flagIsOn("version", args)) return { print: version };
  const taken = await takeArguments(command, args);
  const positionals = positionalsOf(command, taken);
  const config = resolveOptions({ config: COMMON_OPTIONS.config }, { flags: taken, environment, configFile: null });
  const configFile = config.values.config ?? null;
  return { positionals, ...resolveOptions(command.options, { flags: taken, environment, configFile }) };
}

async function takeArguments(command: CommandDefinition<OptionTable>, args: readonly string[]): Promise<Arguments> {
  const parser = yargs()
    .help(false)
    .version(false)
    .exitProcess(false)
    .parserConfiguration({
      "camel-case-expansion": false,
      "dot-notation": false,
      "parse-positional-numbers": false,
      "boolean-negation": false,
      "greedy-arrays": false,
    })
    .fail((message: string | null, cause: Error | undefined) => {
      const lacking = /^Not enough arguments following: (.+)$/.exec(message ?? "")?.[1];
      if (lacking !== undefined) throw usageError(command, `--${lacking}`, "its value is missing", cause);
      throw usageError(command, null, message ?? cause?.message ?? "not understood", cause);
    });
  const options: OptionTable = { ...command.options, ...COMMON_OPTIONS };
  for (const [name, option] of Object.entries(options)) {
    if (option.isSwitch === true) parser.option(name, { type: "boolean" });
    else if (option.isList === true) parser.option(name, { type: "string", array: true, requiresArg: true });
    else parser.option(name, { type: "string", requiresArg: true });
  }
  const taken: Arguments = await parser.parseAsync(knownOptions(command, options, args));
  const repeated = Object.keys(options).find((name) => Array.isArray(taken[name]) && options[name]?.isList !== true);
  if (repeated !== undefined) throw usageError(command, `--${repeated}`, "it is given more than once");
  const unknown = Object.keys(taken).find((name) => name !== "_" && name !== "$0" && !Object.hasOwn(options, name));
  if (unknown !== undefined) throw usageError(command, `-${unknown}`, `${command.name} has no such option`);
  return taken;
}

/**
 * Refuses options that are not in the table (yargs trips over names such as `--constructor`), and writes switches plainly: `--json=true`
 * for `--json=1` alike, since yargs takes any text but these words for false.
 */
function knownOptions(
  command: CommandDefinition<OptionTable>,
  options: OptionTable,
  args: readonly string[],
): string[] {
  const end = args.indexOf("--");
  return args.flatMap((argument, index) => {
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === undefined || (end >= 0 && index >= end)) return [argument];
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) throw usageError(command, `--${name}`, `${command.name} has no such option`);
    if (option.isSwitch !== true || value === undefined) return [argument];
    const parsed = switchValue.safeParse(value);
    if (parsed.success) return [`--${name}=${parsed.data}`];
    const problem = `${JSON.stringify(value)} is not accepted: it is a switch, to be given without a value`;
    throw usageError(command, `--${name}`, problem);
  });
}

function positionalsOf(command: CommandDefinition<OptionTable>, taken: Arguments): string[] {
  const positionals = taken._.map(String);
  const missing = command.positionals[positionals.length];
  if (missing !== undefined) throw usageError(command, missing.name, `${missing.describe} is missing`);
  const surplus = positionals[command.positionals.length];
  if (surplus !== undefined) throw usageError(command, null, `"${surplus}" is one argument too many`);
  return positionals;
}

function helpOf(command: CommandDefinition<OptionTable>): string {
  const { name, describe, positionals, options, examples } = command;
  return describeCommand({
    usage: `${["ringstrasse", name, ...positionals.map((positional) => positional.name)].join(" ")} [options]`,
    describe,
    options: { ...options, ...COMMON_OPTIONS },
    examples: examples.map(([call, what]) => [call.replace("$0", "ringstrasse"), what] as const),
  });
}

function usageError(
  command: CommandDefinition<OptionTable>,
  option: string | null,
  problem: string,
  cause?: unknown,
): RingstrasseError {
  const remedy = `See: ringstrasse ${command.name} --help`;
  return new RingstrasseError({ code: "USAGE", option, problem, remedy }, { cause });
}
