import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { SUBMIT_COMMAND } from "../../../../coordinator/cli/commands.js";
import { submitSlurm } from "../../../../coordinator/submit/submit-slurm.js";
import { parseCommand } from "../../../../shared/cli/parse-command.js";
import { failureOf } from "../../../support/failure-of.js";
import { FakeSlurm } from "../../../support/fake-slurm.js";
import { documentXml, ROWS } from "../../../support/service-place.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** Submits a document with these flags and variables. @returns the arguments of its `train`, and the variables of ours that its job has */
async function submitted(flags: readonly string[], variables: NodeJS.ProcessEnv = {}) {
  const directory = await temporaryDirectory();
  const bin = join(directory, "bin");
  const slurm = await FakeSlurm.open(bin);
  const [document, data, entry, config] = ["net.xml", "rows.csv", "ringstrasse.js", "job.json"].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  await writeFile(document, documentXml());
  await writeFile(data, ROWS);
  await writeFile(entry, "");
  await writeFile(config, JSON.stringify({ nodes: 1, epochs: 7 }));
  const own = { ...variables, ...("RINGSTRASSE_CONFIG" in variables ? { RINGSTRASSE_CONFIG: config } : {}) };
  const environment = { PATH: `${bin}:/usr/bin:/bin`, SBATCH_QOS: "long", ...own };
  const args = ["slurm", document, "--data", data, "--out", join(directory, "run"), ...flags];
  const command = await parseCommand(SUBMIT_COMMAND, { args, environment, version: "0" });
  if ("print" in command) throw new Error(command.print);
  const around = { entry, execPath: process.execPath, environment, directory, cacheDirectory: directory, stamp: "1" };
  const { script } = await submitSlurm(command, around);
  const words = / train (.*) &$/m.exec(await readFile(script, "utf8"))?.[1]?.split(" ") ?? [];
  const given = await slurm.environmentOf("sbatch");
  return { words, ours: given.filter((line) => line.startsWith("RINGSTRASSE_")).sort(), given };
}

describe("submitSlurm", () => {
  it("hands the job where engines are and its secrets, and no options but as arguments", async () => {
    const { words, ours, given } = await submitted([], {
      RINGSTRASSE_CONFIG: "",
      RINGSTRASSE_WORKERS: "2",
      RINGSTRASSE_LAUNCHER: "local",
      RINGSTRASSE_SEED: "3",
      RINGSTRASSE_TOKEN: "a secret of ours",
      RINGSTRASSE_REPORT_TOKEN: "a secret of the server",
      RINGSTRASSE_ENGINE_DIR: "/shared/engines",
    });
    expect(ours).toEqual([
      "RINGSTRASSE_ENGINE_DIR=/shared/engines",
      "RINGSTRASSE_REPORT_TOKEN=a secret of the server",
      "RINGSTRASSE_TOKEN=a secret of ours",
    ]);
    expect(given).toContain("SBATCH_QOS=long");
    expect(words).toEqual(expect.arrayContaining(["--epochs=7", "--seed=3"]));
    expect(words.join(" ")).not.toMatch(/--(workers|launcher|nodes|token|config)/);
  });

  it("leaves a split that plays no part out, which would be refused in the job as a flag", async () => {
    const { words } = await submitted(["--test-data=rows.csv"], { RINGSTRASSE_TEST_SPLIT: "0.5" });
    expect(words).toContainEqual(expect.stringMatching(/^--test-data=\/.*\/rows\.csv$/));
    expect(words.join(" ")).not.toContain("--test-split");
    const failure = await failureOf(() => submitted(["--test-data=rows.csv", "--test-split=0.5"]));
    expect(failure).toMatchObject({ code: "USAGE", option: "--test-split" });
  });
});
