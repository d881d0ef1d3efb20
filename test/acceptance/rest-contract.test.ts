import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { pythonWithSchemathesis } from "../support/python-environment.js";
import { ROOT } from "../support/run-command.js";
import { runSchemathesis } from "../support/run-schemathesis.js";
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

/**
 * What `/docs/json` says of the interface, held against a real server by schemathesis (PyPI): requests that the description allows, and
 * requests that it forbids, by the thousand.
 *
 * The short form takes the same requests every time. `RINGSTRASSE_TEST_CONTRACT=long` takes ten times as many, from a seed of the day
 * (printed when it fails), for some ten minutes.
 */
const IS_LONG = process.env["RINGSTRASSE_TEST_CONTRACT"] === "long";
const SEED = IS_LONG ? Math.floor(Date.now() / 86_400_000) : 20;
const EXAMPLES = IS_LONG ? 150 : 15;

/**
 * Not `positive_data_acceptance`: no JSON schema can say which documents, ids and changes of status are right. Nor those that need to
 * know which operation creates what another one reads: `seed` does that.
 */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "negative_data_rejection",
  "missing_required_header",
  "unsupported_method",
  "allow_header_conformance",
];

const python = await pythonWithSchemathesis();

describe.skipIf(python === null)("schemathesis against /docs/json (needs PyPI for schemathesis)", () => {
  it("0 server errors, 0 undocumented statuses, 0 answers against their schema", async () => {
    const serving = await startServing({ workers: 1 });
    const known = await seed(serving);
    const run = {
      python: python ?? "",
      url: serving.url,
      known,
      checks: CHECKS,
      phases: ["coverage", "fuzzing", "stateful"],
    };
    const { exitCode, failures, output, cases } = await runSchemathesis({ ...run, examples: EXAMPLES, seed: SEED });
    expect({ failures, exitCode }, output).toEqual({ failures: [], exitCode: 0 });
    expect(cases).toBeGreaterThan(39 * EXAMPLES);
    expect(await askJson(serving, "/health")).toMatchObject({ status: "ok" });
    expect(await stopServing(serving)).toBe(0);
  });

  it("with a token: the same, and without it or with a wrong one no operation does anything", async () => {
    const token = "a-good-token";
    const serving = await startServing({ workers: 0, args: [`--token=${token}`] });
    const known = { id: ["5ab91658e8cc45946600ea11"], fileId: ["5ab91658e8cc45946600ea11"] };
    const run = {
      python: python ?? "",
      url: serving.url,
      known,
      checks: [...CHECKS, "ignored_auth"],
      phases: ["coverage", "fuzzing"],
    };
    const { exitCode, failures, output } = await runSchemathesis({
      ...run,
      token,
      examples: IS_LONG ? 50 : 4,
      seed: SEED,
    });
    expect({ failures, exitCode }, output).toEqual({ failures: [], exitCode: 0 });
    expect((await ask(serving, "/health")).status).toBe(200);
    expect(await stopServing(serving)).toBe(0);
  });
});

/** A stored file, a job that waits for its data and one that has trained. @returns their ids, by the names of path parameters */
async function seed(serving: Serving): Promise<Record<string, string[]>> {
  const fileId = await upload(serving, join(ROOT, "examples/iris/iris.csv"));
  const document = await exampleXml(ROOT, "iris");
  const created = await post(serving, document.replace(/<dataSchemaID>[^<]*/, "<dataSchemaID>name/none.csv"));
  const finished = await post(serving, document);
  await askJson(serving, `/worker/queue/${finished}`, { method: "PUT" });
  expect((await eventsUntil(serving, finished, isEnd)).at(-1)).toMatchObject({ status: "FINISHED" });
  return {
    id: [created, finished],
    fileId: [fileId],
    filename: ["iris.csv"],
    name: ["model.json", "weights.bin", "model.safetensors"],
    status: ["CREATED", "QUEUED", "INPROGRESS", "FINISHED", "ERROR"],
  };
}
