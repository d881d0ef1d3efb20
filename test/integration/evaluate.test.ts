import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Evaluation, EvaluationSchema } from "../../shared/api/evaluation.js";
import { ROOT, runCommand, runTrain } from "../support/run-command.js";
import {
  ask,
  askJson,
  eventsUntil,
  exampleXml,
  isEnd,
  post,
  type Serving,
  startServing,
  stopServing,
  upload,
} from "../support/serving.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { networkXml } from "../support/training-data.js";

const IRIS_DATA = join(ROOT, "examples/iris/iris.csv");
const ENDLESS = networkXml({
  inputs: 4,
  hidden: [800, 800],
  outputs: 3,
  parameters: { iterations: 1_000_000, learningrate: 0.01 },
}).replace("<dataSchemaID>", "<dataSchemaID>name/iris.csv");

/** A job that is trained on iris. @returns its id, and what training says of the rows held out */
async function trained(serving: Serving) {
  await upload(serving, IRIS_DATA);
  const id = await post(serving, await exampleXml(ROOT, "iris"));
  await askJson(serving, `/vinnsl/${id}/train`, { method: "POST" });
  const finished = (await eventsUntil(serving, id, isEnd)).find((event) => event.event === "finished");
  if (finished === undefined) throw new Error("the job did not finish");
  return { id, finished };
}

async function evaluate(serving: Serving, id: string, query = ""): Promise<Evaluation> {
  return EvaluationSchema.parse(await askJson(serving, `/vinnsl/${id}/evaluate${query}`, { method: "POST" }));
}

async function refused(serving: Serving, id: string, query = ""): Promise<[number, string]> {
  const answer = await ask(serving, `/vinnsl/${id}/evaluate${query}`, { method: "POST" });
  const { error } = (await answer.json()) as { error: { message: string } };
  return [answer.status, error.message];
}

describe("POST /vinnsl/{id}/evaluate", () => {
  it("tells of the rows held out what training told of them, of other rows what predict tells, also while a job trains", async () => {
    const serving = await startServing({ workers: 1 });
    const { id, finished } = await trained(serving);
    const endless = await post(serving, ENDLESS);
    await askJson(serving, `/vinnsl/${endless}/train`, { method: "POST" });
    await eventsUntil(serving, endless, (event) => event.event === "step");

    // The document holds 35 % of the 150 rows out.
    const own = await evaluate(serving, id);
    const { weightsSha256, testAccuracy, testLoss, engine } = finished;
    expect(own).toMatchObject({ rows: 53, accuracy: testAccuracy, weightsSha256, engine });
    expect(own.loss).toBeCloseTo(testLoss ?? Number.NaN, 6);
    const classNames = own.confusion?.classNames ?? [];
    const right = (own.confusion?.counts ?? []).reduce((sum, cells, actual) => sum + (cells[actual] ?? 0), 0);
    expect([classNames.length, right / 53]).toEqual([3, testAccuracy]);

    const rows = (await readFile(IRIS_DATA, "utf8")).trimEnd().split("\n").slice(-50).join("\n");
    const other = join(await temporaryDirectory(), "other.csv");
    await writeFile(other, rows);
    const fileId = await upload(serving, other);
    const body = JSON.stringify({ fileId });
    const byBody = await askJson(serving, `/vinnsl/${id}/evaluate`, { method: "POST", type: "application/json", body });
    const model = join(serving.dataDirectory, "runs", id, "model");
    const command = await runCommand(["predict", model, "--data", other, "--evaluate", "--json"]);
    expect([command.exitCode, JSON.parse(command.stdout)]).toEqual([0, byBody]);
    expect(byBody).toMatchObject({ rows: 50 });
    const { job } = await askJson<{ job: { status: string } }>(serving, `/cluster/jobs/${endless}`);
    expect(job.status).toBe("INPROGRESS");
    expect((await readdir(join(serving.dataDirectory, "lent"))).filter((name) => name.startsWith("evaluate"))).toEqual(
      [],
    );
    expect(await stopServing(serving)).toBe(0);
  });

  it("refuses what it can't judge by, with the right codes", async () => {
    const serving = await startServing({ workers: 1 });
    const { id } = await trained(serving);
    const unknown = "0".repeat(24);
    expect(await refused(serving, id, `?fileId=${unknown}`)).toEqual([404, expect.stringContaining("no file")]);
    expect(await refused(serving, unknown)).toEqual([404, expect.stringContaining("no job")]);
    const created = await post(serving, await exampleXml(ROOT, "iris"));
    expect(await refused(serving, created)).toEqual([409, expect.stringContaining("It is CREATED")]);
    const folder = await temporaryDirectory();
    const files = {
      "narrow.csv": ["1,2,3\n", /^narrow\.csv: the file has 3 columns, the model takes 4 features/],
      "bad.csv": ["5.1,3.5,1.4,0.2,1,0,0\n", /^bad\.csv: the file has 7 columns/],
      "unlabelled.csv": ["5.1,3.5,1.4,0.2\n", /^unlabelled\.csv: the rows don't say what is right/],
      "word.csv": ["5.1,3.5,1.4,0.2,0\n5.1,3.5,1.4,x,0\n", /^word\.csv, row 2, column 3/],
    } as const;
    for (const [name, [text, message]] of Object.entries(files)) {
      await writeFile(join(folder, name), text);
      const fileId = await upload(serving, join(folder, name));
      const answer = await refused(serving, id, `?fileId=${fileId}`);
      expect(answer).toEqual([400, expect.stringMatching(message)]);
      expect(answer[1]).not.toContain(serving.dataDirectory);
    }
    expect(await stopServing(serving)).toBe(0);
  });
});

describe("predict --evaluate", () => {
  it("prints the figures and a table, and refuses by exit code", async () => {
    const out = await temporaryDirectory();
    await runTrain([join(ROOT, "examples/iris/iris.xml"), "--data", IRIS_DATA, "--out", out]);
    const command = await runCommand(["predict", out, "--data", IRIS_DATA, "--evaluate"]);
    expect(command.exitCode).toBe(0);
    expect(command.stdout).toMatch(/^rows +150\naccuracy +9\d\.\d\d %\nloss +0\.\d+\nweightsSha256 +[0-9a-f]{64}\n/);
    expect(command.stdout).toMatch(/is \\ taken for/);
    const missing = await runCommand(["predict", out, "--evaluate", "--json"]);
    expect(missing.exitCode).toBe(2);
    expect(JSON.parse(missing.stdout)).toMatchObject({ failure: { code: "USAGE", option: "--data" } });
    const both = await runCommand(["predict", out, "--data", IRIS_DATA, "--evaluate", "--format", "csv"]);
    expect([both.exitCode, both.stderr]).toEqual([2, expect.stringContaining("--format")]);
    const alone = await runCommand(["predict", out, "--row-file", IRIS_DATA]);
    expect([alone.exitCode, alone.stderr]).toEqual([2, expect.stringContaining("--row-file: it goes with --evaluate")]);
  });
});
