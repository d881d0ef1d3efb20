import process from "node:process";
import { parseArgs } from "node:util";
import { z } from "zod";
import { describeCommand } from "../../shared/cli/command-help.js";
import { choice, decimalNumber } from "../../shared/cli/option-table.js";

/** One option of a benchmark. */
export interface BenchOption {
  readonly describe: string;
  /** Of its value, which comes as text. Absent: a switch, false when it isn't given. */
  readonly schema?: z.ZodType;
  /** Of the value, for `--help`. */
  readonly placeholder?: string;
  /** As it would be given; absent: the value is undefined when it isn't. */
  readonly default?: string;
  readonly isNeeded?: true;
}

export interface BenchDescription<Options extends Readonly<Record<string, BenchOption>>> {
  /** `bench/NAME.ts` and the script `bench:NAME`. */
  readonly name: string;
  /** What is measured, and what comes out. */
  readonly describe: string;
  readonly options: Options;
  /** What is given behind `npm run bench:NAME -- `, with what it does. */
  readonly examples: readonly (readonly [options: string, what: string])[];
}

type ValueOf<Option extends BenchOption> = Option extends { readonly schema: infer Schema }
  ? z.output<Schema> | (Option extends { readonly default: string } | { readonly isNeeded: true } ? never : undefined)
  : boolean;

export type BenchValues<Options extends Readonly<Record<string, BenchOption>>> = {
  readonly [Name in keyof Options]: ValueOf<Options[Name]>;
};

/**
 * The options that this process was given. `--help` prints what there is and ends the process; what is not understood ends it with a
 * line on stderr and exit code 2.
 */
export function benchOptions<const Options extends Readonly<Record<string, BenchOption>>>(
  bench: BenchDescription<Options>,
): BenchValues<Options> {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(`${helpOf(bench)}\n`);
    process.exit(0);
  }
  const given = takeArguments(bench, args);
  const values = Object.entries<BenchOption>(bench.options).map(([name, option]) => {
    return [name, checkedValue(bench.name, name, { ...option, given: given[name] ?? option.default })];
  });
  return Object.fromEntries(values) as BenchValues<Options>;
}

/** For options that don't go together. */
export function refuseOptions(bench: string, problem: string): never {
  process.stderr.write(`bench:${bench}: ${problem}. See: npm run bench:${bench} -- --help\n`);
  process.exit(2);
}

export const aboveZero = decimalNumber(z.number().positive("a number above 0 is needed"));
export const notNegative = decimalNumber(z.number().nonnegative("0 or a number above it is needed"));

/** Values separated by commas, at least one. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess((text) => String(text).split(","), z.array(item));
}

/** Some of these names, separated by commas. */
export function namesOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return listOf(choice(names));
}

function takeArguments(
  { name, options }: BenchDescription<Readonly<Record<string, BenchOption>>>,
  args: string[],
): Readonly<Record<string, string | boolean | undefined>> {
  const known = Object.entries(options).map(([option, { schema }]) => {
    return [option, { type: schema === undefined ? "boolean" : "string" }] as const;
  });
  try {
    return parseArgs({ args, options: Object.fromEntries(known) }).values;
  } catch (cause) {
    // Its first sentence says what is wrong, the others how options are written.
    const [problem = ""] = (cause instanceof Error ? cause.message : String(cause)).split(/\. |\.?\n/);
    return refuseOptions(name, problem);
  }
}

interface GivenOption extends BenchOption {
  readonly given: string | boolean | undefined;
}

function checkedValue(bench: string, name: string, { schema, given, isNeeded, ...option }: GivenOption): unknown {
  if (schema === undefined) return given ?? false;
  if (given === undefined && isNeeded !== true) return undefined;
  if (given === undefined) return refuseOptions(bench, `--${name} is needed: ${option.describe}`);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues[0]?.message ?? "not understood";
  return refuseOptions(bench, `--${name} ${JSON.stringify(given)} is not accepted: ${why}`);
}

function helpOf({
  name,
  describe,
  options,
  examples,
}: BenchDescription<Readonly<Record<string, BenchOption>>>): string {
  const shown = Object.entries({ ...options, help: { describe: "Show this text" } }).map(([option, shape]) => {
    const { schema, placeholder = "VALUE", isNeeded, default: preset }: BenchOption = shape;
    const what = isNeeded === true ? `${shape.describe} (needed)` : shape.describe;
    const whole = preset === undefined ? what : `${what} (default: ${preset})`;
    const form = { schema: schema ?? z.boolean(), isSwitch: schema === undefined, placeholder, group: "Options:" };
    return [option, { ...form, describe: whole }] as const;
  });
  return describeCommand({
    usage: `npm run bench:${name} -- [options]`,
    describe,
    options: Object.fromEntries(shown),
    examples: examples.map(([call, what]) => [`npm run bench:${name} -- ${call}`, what]),
  });
}
