import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { validate } from "../../../../coordinator/cli/validate-command.js";
import { readJob } from "../../../../coordinator/job/plan-run.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { networkXml } from "../../../support/training-data.js";

const SERIAL = "<serial>true</serial>";
const NORMALISATION = "<hidden><ID>BatchNormalization1</ID><dimension>1</dimension><size>4</size></hidden>";

interface Words {
  readonly parameters: Readonly<Record<string, string | number>>;
  /** A hardware parameter of a cluster. */
  readonly collective?: string;
  readonly hasNormalisation?: boolean;
}

async function written({ parameters, collective, hasNormalisation = false }: Words) {
  const file = join(await temporaryDirectory(), "net.xml");
  const text = networkXml({ inputs: 2, hidden: [4], outputs: 3, parameters });
  const cluster = `<parallel><software><data><structural><spmd><cluster/></spmd></structural></data></software>
    <hardware><general><valueparameter name="collective">${collective}</valueparameter></general></hardware></parallel>`;
  const placed = collective === undefined ? text : text.replace(SERIAL, cluster);
  const xml = hasNormalisation ? placed.replace("<output>", `${NORMALISATION}<output>`) : placed;
  await writeFile(file, xml);
  return { file, bytes: Buffer.from(xml) };
}

describe("what a document alone asks for, and can't have together", () => {
  it.each([
    [{ parameters: { strategy: "async", gradientNormalizationThreshold: 2 } }, /valueparameter.*$/, "mean gradient"],
    [{ parameters: { strategy: "async", compress: "fp16" } }, /comboparameter.*$/, "not fp16"],
    [{ parameters: { strategy: "async" }, collective: "shm" }, /hardware/, "not by the collective shm"],
    [{ parameters: { strategy: "async" }, hasNormalisation: true }, /hidden/, "batch normalisation"],
    [{ parameters: { compress: "topk" }, collective: "shm" }, /hardware/, "not by the collective shm"],
    [{ parameters: { strategy: "local-sgd", compress: "fp16" } }, /comboparameter.*$/, "not fp16"],
  ] as const)("%j: validate and train name the element", async (words, path, problem) => {
    const { file, bytes } = await written(words);
    const validated = await failureWithCode("DOCUMENT_UNSUPPORTED", () => validate(file, {}));
    expect(validated).toMatchObject({ file, elementPath: expect.stringMatching(path) });
    expect(validated.problem).toContain(problem);
    const trained = await failureWithCode("DOCUMENT_UNSUPPORTED", () =>
      readJob({ bytes, file, options: {}, sources: {} }),
    );
    expect(trained).toEqual(validated);
  });

  it("an option that asks for one of the two is named instead", async () => {
    const { file, bytes } = await written({ parameters: { gradientNormalizationThreshold: 2 } });
    const options = { strategy: "async" } as const;
    const failure = await failureWithCode("CHOICE_UNSUPPORTED", () => readJob({ bytes, file, options, sources: {} }));
    expect(failure.option).toBe("--clip-norm with --strategy");
    expect((await validate(file, {})).exitCode).toBe(0);
  });

  it("what depends on where the job runs is left to that place", async () => {
    const { file } = await written({ parameters: {}, collective: "mpi" });
    expect((await validate(file, {})).exitCode).toBe(0);
  });
});
