import yargs from "yargs";
import { RingstrasseError } from "../failure.js";
import { type OptionTable, type ResolvedOptions, resolveOptions } from "./option-table.js";

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
  const usage = `ringstrasse ${[command.name, ...command.positionals.map(({ name }) => `<${name}>`)].join(" ")}`;
  const parser = yargs()
    .scriptName("ringstrasse")
    .usage(`${usage}\n\n${command.describe}`)
    .version(inputs.version)
    .help()
    .strictOptions()
    .exitProcess(false)
    .wrap(110)
    .parserConfiguration({ "camel-case-expansion": false, "dot-notation": false, "parse-positional-numbers": false })
    .option("config", { type: "string", describe: "A JSON file of options", group: "Other:" })
    .fail((message: string | null, cause: Error | undefined) => {
      throw usageError(message ?? cause?.message ?? "not understood", command.name, cause);
    });
  for (const [name, option] of Object.entries(command.options)) {
    const type = option.isSwitch === true ? "boolean" : "string";
    const shape = option.isList === true ? { array: true as const } : { requiresArg: option.isSwitch !== true };
    parser.option(name, { type, describe: option.describe, group: option.group, ...shape });
  }
  for (const [call, describe] of command.examples) parser.example(call, describe);
  let print = "";
  const argv = await parser.parseAsync([...inputs.args], {}, (_error: unknown, _argv: unknown, output: string) => {
    print = output;
  });
  if (print !== "") return { print };
  const positionals = argv._.map(String);
  const missing = command.positionals[positionals.length];
  if (missing !== undefined) throw usageError(`${missing.describe} is missing`, command.name);
  const surplus = positionals[command.positionals.length];
  if (surplus !== undefined) throw usageError(`"${surplus}" is one argument too many`, command.name);
  const repeated = Object.keys(command.options).find(
    (name) => Array.isArray(argv[name]) && command.options[name]?.isList !== true,
  );
  if (repeated !== undefined) throw usageError(`--${repeated} is given more than once`, command.name);
  const configFile = typeof argv["config"] === "string" ? argv["config"] : null;
  const { environment } = inputs;
  return { positionals, ...resolveOptions(command.options, { flags: argv, environment, configFile }) };
}

function usageError(problem: string, command: string, cause?: unknown): RingstrasseError {
  const remedy = `See: ringstrasse ${command} --help`;
  return new RingstrasseError({ code: "USAGE", option: null, problem, remedy }, { cause });
}
