import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  choice,
  decimalNumber,
  environmentName,
  filePath,
  type OptionTable,
  optionText,
  resolveOptions,
  switchIsOn,
  switchValue,
  wholeNumber,
} from "../../../../shared/cli/option-table.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const TABLE = {
  workers: { group: "G", describe: "How many", schema: wholeNumber(1, 10) },
  "batch-size": { group: "G", describe: "Rows", schema: wholeNumber(1) },
  fault: { group: "G", describe: "Faults", schema: z.array(z.string()), isList: true },
  json: { group: "G", describe: "JSON", schema: switchValue, isSwitch: true },
} as const satisfies OptionTable;

async function configFile(text: string): Promise<string> {
  const path = join(await temporaryDirectory(), "options.json");
  await writeFile(path, text);
  return path;
}

describe("resolveOptions", () => {
  it("takes flags over environment over config file, and says which", async () => {
    const file = await configFile('{"workers": 3, "batch-size": 30, "json": true}');
    const environment = { RINGSTRASSE_WORKERS: "2", RINGSTRASSE_BATCH_SIZE: "20" };
    const all = resolveOptions(TABLE, { flags: { workers: "1" }, environment, configFile: file });
    expect(all.values).toEqual({ workers: 1, "batch-size": 20, json: true });
    expect(all.sources).toEqual({ workers: "flag", "batch-size": "environment", json: "config file" });
  });

  it("leaves out what nobody gives", () => {
    expect(resolveOptions(TABLE, { flags: {}, environment: {}, configFile: null })).toEqual({
      values: {},
      sources: {},
    });
  });

  it("takes one value of a list for the whole list", () => {
    const environment = { RINGSTRASSE_FAULT: "a,b" };
    expect(resolveOptions(TABLE, { flags: {}, environment, configFile: null }).values.fault).toEqual(["a,b"]);
  });

  it("names the source of a bad value, the value, what is needed, and the option's meaning", async () => {
    const file = await configFile('{"workers": 99}');
    const flags = { workers: "many" };
    const environment = { RINGSTRASSE_WORKERS: "" };
    const of = (inputs: Partial<Parameters<typeof resolveOptions>[1]>) =>
      failureWithCode("USAGE", () =>
        resolveOptions(TABLE, { flags: {}, environment: {}, configFile: null, ...inputs }),
      );
    expect(await of({ flags, environment, configFile: file })).toMatchObject({
      option: "--workers",
      problem: '"many" is not accepted: a whole number is needed',
      remedy: "How many (see --help)",
    });
    // An empty variable is a value, and a wrong one: nothing is guessed.
    expect(await of({ environment, configFile: file })).toMatchObject({ option: "RINGSTRASSE_WORKERS" });
    const ofFile = await of({ configFile: file });
    expect(ofFile).toMatchObject({ option: `workers in ${file}`, problem: "99 is not accepted: at most 10" });
  });

  it.each([
    ["[1]", "does not hold one JSON object", "workers, batch-size, fault, json"],
    ['{"wrokers": 1}', 'the unknown option "wrokers"', "workers, batch-size, fault, json"],
    ["{,}", "can't be read as JSON", '{"workers": 2, "batch-size": 100}'],
  ])("refuses the config file %s", async (text, problem, remedy) => {
    const file = await configFile(text);
    const refuse = () => resolveOptions(TABLE, { flags: {}, environment: {}, configFile: file });
    const failure = await failureWithCode("USAGE", refuse);
    expect(failure.option).toBe("--config");
    expect(failure.problem).toContain(file);
    expect(failure.problem).toContain(problem);
    expect(failure.remedy).toContain(remedy);
  });
});

describe("values", () => {
  it("whole numbers are read from text and numbers alike, within their bounds", () => {
    fc.assert(
      fc.property(fc.integer(), (number) => {
        const schema = wholeNumber(-1000, 1000);
        const accepted = schema.safeParse(String(number));
        expect(accepted.success).toBe(number >= -1000 && number <= 1000);
        expect(schema.safeParse(number)).toEqual(accepted);
        if (accepted.success) expect(accepted.data).toBe(number);
      }),
    );
    for (const text of ["", " ", "1.5", "1e3", "0x10", "one", "1 2", "9007199254740993"]) {
      expect(wholeNumber(0).safeParse(text).success, JSON.stringify(text)).toBe(false);
    }
  });

  it("decimal numbers must be finite", () => {
    const schema = decimalNumber(z.number().max(5, "at most 5"));
    expect(schema.parse("0.5")).toBe(0.5);
    expect(schema.parse("1e-3")).toBe(0.001);
    for (const text of ["", "half", "NaN", "Infinity", "6"]) expect(schema.safeParse(text).success, text).toBe(false);
  });

  it("choices and paths say what is needed", () => {
    expect(choice(["a", "b"]).safeParse("c").error?.issues[0]?.message).toBe("one of a, b is needed");
    expect(filePath.safeParse("").error?.issues[0]?.message).toBe("a path is needed");
  });

  it("environment names follow the option's", () => {
    expect(environmentName("batch-size")).toBe("RINGSTRASSE_BATCH_SIZE");
  });
});

describe("optionText", () => {
  it.each([
    [["--launcher", "none"], {}, "none"],
    [["--launcher=none"], {}, "none"],
    [["--launcher=a=b"], {}, "a=b"],
    [["--launcher=none", "--launcher", "local"], {}, "local"],
    [["--launcher"], {}, ""],
    [["--launchers=x"], {}, null],
    [["--launcher=local"], { RINGSTRASSE_LAUNCHER: "none" }, "local"],
    [[], { RINGSTRASSE_LAUNCHER: "none" }, "none"],
    [[], {}, null],
  ] as const)("%j with %j: %s", (args, environment, text) => {
    expect(optionText("launcher", args, environment)).toBe(text);
  });

  it("looks into the config file last, wherever that is named", async () => {
    const file = await configFile('{"launcher": "local", "join-timeout": 5, "fault": ["a"]}');
    expect(optionText("launcher", ["--config", file], {})).toBe("local");
    expect(optionText("launcher", [`--config=${file}`], { RINGSTRASSE_LAUNCHER: "none" })).toBe("none");
    expect(optionText("launcher", ["--launcher=none"], { RINGSTRASSE_CONFIG: file })).toBe("none");
    expect(optionText("join-timeout", [], { RINGSTRASSE_CONFIG: file })).toBe("5");
    expect(optionText("fault", ["--config", file], {})).toBeNull();
    expect(optionText("token", ["--config", file], {})).toBeNull();
  });

  it.each(["[1]", "{,}", null])(
    "takes the config file %s for none: the command says what is wrong with it",
    async (text) => {
      const file = text === null ? "/nowhere/options.json" : await configFile(text);
      expect(optionText("launcher", ["--config", file], {})).toBeNull();
      expect(optionText("launcher", ["--config"], {})).toBeNull();
    },
  );
});

describe("switchIsOn", () => {
  it.each([
    [["--json"], {}, true],
    [["--json=true"], {}, true],
    [["--json=0"], {}, false],
    [["--json", "--json=false"], {}, false],
    [["--jsonp"], {}, false],
    [[], { RINGSTRASSE_JSON: "1" }, true],
    [["--json=false"], { RINGSTRASSE_JSON: "1" }, false],
    [[], { RINGSTRASSE_JSON: "maybe" }, false],
    [[], {}, false],
  ] as const)("%j with %j: %s", (args, environment, on) => {
    expect(switchIsOn("json", args, environment)).toBe(on);
  });

  it("looks into the config file last", async () => {
    const file = await configFile('{"json": true}');
    expect(switchIsOn("json", ["--config", file], {})).toBe(true);
    expect(switchIsOn("json", ["--json=false", "--config", file], {})).toBe(false);
    expect(switchIsOn("json", [], { RINGSTRASSE_CONFIG: file, RINGSTRASSE_JSON: "0" })).toBe(false);
  });
});
