import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type OptionTable, switchValue, wholeNumber } from "../../../../shared/cli/option-table.js";
import { type CommandDefinition, type CommandInputs, parseCommand } from "../../../../shared/cli/parse-command.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const COMMAND = {
  name: "fly",
  describe:
    "Flies from one place to another, and tells a long story about it on the way so that the line has to be broken once.",
  positionals: [
    { name: "FROM", describe: "the place to start from" },
    { name: "TO", describe: "the place to go to" },
  ],
  options: {
    seats: { group: "Plane:", describe: "How many seats", schema: wholeNumber(1), placeholder: "N" },
    stop: { group: "Route:", describe: "Places on the way", schema: z.array(z.string()), isList: true },
    json: { group: "Output:", describe: "As JSON", schema: switchValue, isSwitch: true },
  },
  examples: [["$0 fly Wien Graz --seats 2", "for two"]],
} as const satisfies CommandDefinition<OptionTable>;

function parse(args: readonly string[], environment: CommandInputs["environment"] = {}) {
  return parseCommand(COMMAND, { args, environment, version: "1.2.3" });
}

describe("parseCommand", () => {
  it("gives positionals as text, values as their types, and their sources", async () => {
    const parsed = await parse(["007", "--seats", "3", "Graz", "--json"], { RINGSTRASSE_STOP: "Linz" });
    expect(parsed).toEqual({
      positionals: ["007", "Graz"],
      values: { seats: 3, stop: ["Linz"], json: true },
      sources: { seats: "flag", stop: "environment", json: "flag" },
    });
  });

  it("a list takes one value per mention, so that positionals may follow", async () => {
    expect(await parse(["--stop", "Linz", "Wien", "Graz", "--stop=Ybbs"])).toMatchObject({
      positionals: ["Wien", "Graz"],
      values: { stop: ["Linz", "Ybbs"] },
    });
  });

  it.each([
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
  ])("--json=%s means %s, whatever the environment says", async (text, expected) => {
    for (const environment of [{}, { RINGSTRASSE_JSON: "0" }, { RINGSTRASSE_JSON: "1" }]) {
      const parsed = await parse(["Wien", "Graz", `--json=${text}`], environment);
      expect(parsed).toMatchObject({ values: { json: expected }, sources: { json: "flag" } });
    }
  });

  it("of a switch that is given twice the last mention counts", async () => {
    expect(await parse(["Wien", "Graz", "--json", "--json=false"])).toMatchObject({ values: { json: false } });
    expect(await parse(["Wien", "Graz", "--json=0", "--json"])).toMatchObject({ values: { json: true } });
  });

  it.each([
    [["Wien"], "TO", "the place to go to is missing"],
    [["a", "b", "c"], null, '"c" is one argument too many'],
    [["a", "b", "--setas", "3"], "--setas", "fly has no such option"],
    [["a", "b", "-s"], "-s", "fly has no such option"],
    [["a", "b", "--no-json"], "--no-json", "fly has no such option"],
    [["a", "b", "--constructor"], "--constructor", "fly has no such option"],
    [["a", "b", "--json=perhaps"], "--json", '"perhaps" is not accepted: it is a switch, to be given without a value'],
    [["a", "b", "--seats"], "--seats", "its value is missing"],
    [["a", "b", "--seats", "1", "--seats", "2"], "--seats", "it is given more than once"],
  ] as const)("refuses %j", async (args, option, problem) => {
    const failure = await failureWithCode("USAGE", () => parse(args));
    expect(failure).toEqual({ code: "USAGE", option, problem, remedy: "See: ringstrasse fly --help" });
  });

  it("takes the config file from the environment too", async () => {
    const failure = await failureWithCode("USAGE", () => parse(["a", "b"], { RINGSTRASSE_CONFIG: "/nowhere/o.json" }));
    expect(failure).toMatchObject({ option: "--config", problem: expect.stringContaining("/nowhere/o.json") });
  });

  it("--help and --version come before any complaint", async () => {
    expect(await parse(["--version", "--what"])).toEqual({ print: "1.2.3" });
    expect(await parse(["-h"])).toEqual(await parse(["--help"]));
    const help = await parse(["--help", "--what"]);
    expect("print" in help && help.print).toBe(`ringstrasse fly FROM TO [options]

Flies from one place to another, and tells a long story about it on the way so that the line has to be broken
once.

Plane:
  --seats N      How many seats

Route:
  --stop VALUE   Places on the way

Output:
  --json         As JSON

Other:
  --config FILE  A JSON file of options, named as here; flags and RINGSTRASSE_… variables rank over it
  --help         Show this text
  --version      Show the version

Examples:
  ringstrasse fly Wien Graz --seats 2
      for two`);
  });
});
