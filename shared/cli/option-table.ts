import { readFileSync } from "node:fs";
import { z } from "zod";
import { RingstrasseError } from "../failure.js";

/** One command-line option. Values come as text, from a flag, the environment or a config file, and are checked by `schema`. */
export interface OptionDefinition {
  readonly describe: string;
  readonly schema: z.ZodType;
  /** A switch without a value. */
  readonly isSwitch?: boolean;
  /** May be given several times; a comma-less list in the environment is one value. */
  readonly isList?: boolean;
  /** Never printed, not even when it is refused. */
  readonly isSecret?: boolean;
  /** For `--help`. */
  readonly placeholder?: string;
  readonly group: string;
}
export type OptionTable = Readonly<Record<string, OptionDefinition>>;

/** Where a value came from, strongest first. The document and the built-in defaults rank below. */
export type OptionSource = "flag" | "environment" | "config file";

export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]?: z.infer<Table[Name]["schema"]>;
};

export interface ResolvedOptions<Table extends OptionTable> {
  readonly values: OptionValues<Table>;
  readonly sources: Partial<Record<keyof Table, OptionSource>>;
}

export interface OptionInputs {
  /** By option name as in the table (kebab-case). */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly configFile: string | null;
}

/** `batch-size` → `RINGSTRASSE_BATCH_SIZE` */
export function environmentName(option: string): string {
  return `RINGSTRASSE_${option.replaceAll("-", "_").toUpperCase()}`;
}

/**
 * Flags over environment over config file; each value checked by its option's schema.
 * @throws RingstrasseError USAGE naming the option and where its value came from.
 */
export function resolveOptions<Table extends OptionTable>(table: Table, inputs: OptionInputs): ResolvedOptions<Table> {
  const file = inputs.configFile === null ? {} : readConfigFile(inputs.configFile, table);
  const values: Record<string, unknown> = {};
  const sources: Record<string, OptionSource> = {};
  for (const [name, definition] of Object.entries(table)) {
    const candidates: readonly [OptionSource, unknown, string][] = [
      ["flag", inputs.flags[name], `--${name}`],
      ["environment", inputs.environment[environmentName(name)], environmentName(name)],
      ["config file", file[name], `${name} in ${inputs.configFile}`],
    ];
    const given = candidates.find(([, value]) => value !== undefined);
    if (given === undefined) continue;
    const [source, value, label] = given;
    values[name] = check(definition, value, label);
    sources[name] = source;
  }
  return { values: values as OptionValues<Table>, sources: sources as Partial<Record<keyof Table, OptionSource>> };
}

function check(definition: OptionDefinition, value: unknown, label: string): unknown {
  const given = definition.isList === true && !Array.isArray(value) ? [value] : value;
  const parsed = definition.schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues[0]?.message ?? "not understood";
  const said = definition.isSecret === true ? "the value" : JSON.stringify(value);
  throw new RingstrasseError({
    code: "USAGE",
    option: label,
    problem: `${said} is not accepted: ${why}`,
    remedy: `${definition.describe} (see --help)`,
  });
}

const ConfigFileSchema = z.record(z.string(), z.unknown());

function readConfigFile(path: string, table: OptionTable): Record<string, unknown> {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const problem = `${path} can't be read as JSON (${cause instanceof Error ? cause.message : String(cause)})`;
    const remedy = 'Give a file such as {"workers": 2, "batch-size": 100}';
    throw new RingstrasseError({ code: "USAGE", option: "--config", problem, remedy }, { cause });
  }
  const parsed = ConfigFileSchema.safeParse(raw);
  const unknown = parsed.success ? Object.keys(parsed.data).find((name) => !(name in table)) : undefined;
  if (parsed.success && unknown === undefined) return parsed.data;
  const problem =
    unknown === undefined ? `${path} does not hold one JSON object` : `${path} has the unknown option "${unknown}"`;
  const remedy = `Options are named as on the command line: ${Object.keys(table).join(", ")}`;
  throw new RingstrasseError({ code: "USAGE", option: "--config", problem, remedy });
}

const WHOLE = /^[+-]?\d+$/;

/** A whole number given as text or number. */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      const number = typeof value === "number" ? value : WHOLE.test(value.trim()) ? Number(value) : Number.NaN;
      if (Number.isSafeInteger(number)) return number;
      context.addIssue({ code: "custom", message: "a whole number is needed" });
      return z.NEVER;
    })
    .pipe(z.number().min(minimum, `at least ${minimum}`).max(maximum, `at most ${maximum}`));
}

/** A decimal number given as text or number. */
export function decimalNumber(schema: z.ZodNumber) {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      const number = typeof value === "number" || value.trim() !== "" ? Number(value) : Number.NaN;
      if (Number.isFinite(number)) return number;
      context.addIssue({ code: "custom", message: "a number is needed" });
      return z.NEVER;
    })
    .pipe(schema);
}

/** A switch: bare on the command line, `true`, `1`, `false` or `0` in the environment. */
export const switchValue = z
  .union([z.boolean(), z.enum(["true", "1", "false", "0"])], { error: "true, 1, false or 0 is needed" })
  .transform((value) => value === true || value === "true" || value === "1");

/** Whether a switch seems to be given as a flag, judged before the arguments are known to be sound. */
export function flagIsOn(name: string, args: readonly string[]): boolean {
  const flag = args.findLast((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
  return flag !== undefined && isOn(flag.split("=")[1] ?? "true");
}

/**
 * Whether a switch seems to be given, by flag, environment or config file, judged before the arguments are known to be sound: errors about
 * these have to be told in the form that was asked for.
 */
export function switchIsOn(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const hasFlag = args.some((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
  if (hasFlag) return flagIsOn(name, args);
  return isOn(environment[environmentName(name)] ?? configuredValue(name, args, environment));
}

function isOn(value: unknown): boolean {
  const parsed = switchValue.safeParse(value);
  return parsed.success && parsed.data;
}

/**
 * What an option seems to be given as, by flag, environment or config file, judged before the arguments are known to be sound; null: it isn't
 * given.
 */
export function optionText(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string | null {
  const given = flagOrVariable(name, args, environment);
  if (given !== null) return given;
  const value = configuredValue(name, args, environment);
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}

function flagOrVariable(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string | null {
  const at = args.findLastIndex((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
  const flag = args[at];
  if (flag === undefined) return environment[environmentName(name)] ?? null;
  return flag.includes("=") ? flag.slice(name.length + 3) : (args[at + 1] ?? "");
}

/** Of the config file that is named; undefined where there is none that could be read: the command itself says what is wrong with it. */
function configuredValue(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): unknown {
  const path = flagOrVariable("config", args, environment);
  if (path === null) return undefined;
  try {
    return ConfigFileSchema.parse(JSON.parse(readFileSync(path, "utf8")))[name];
  } catch {
    return undefined;
  }
}

/** One of some names. */
export function choice<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: `one of ${names.join(", ")} is needed` });
}

export const filePath = z.string().min(1, "a path is needed");
