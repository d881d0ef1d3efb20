import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ServeOptions } from "../../../../coordinator/cli/serve-options.js";
import { TRAIN_OPTIONS } from "../../../../coordinator/cli/train-options.js";
import { jobOptions } from "../../../../coordinator/serve/job-options.js";
import { openSlurmGround, refuseBatchOptions } from "../../../../coordinator/serve/slurm-service.js";
import { openJobService } from "../../../../coordinator/service/open-job-service.js";
import { createLogger } from "../../../../shared/logger.js";
import { failureOf } from "../../../support/failure-of.js";
import { FakeSlurm } from "../../../support/fake-slurm.js";
import { NO_JUDGE } from "../../../support/no-judge.js";
import { type DocumentText, documentXml, STORE_KINDS, upload } from "../../../support/service-place.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

async function opened(options: ServeOptions, shared = "shared") {
  const folder = await temporaryDirectory();
  const around = {
    entry: "ringstrasse.js",
    execPath: process.execPath,
    environment: { PATH: folder },
    note: () => undefined,
  };
  return await failureOf(() => openSlurmGround(options, { ...around, sharedDirectory: join(folder, shared) }));
}

/** Hands over a job of a server with these options. @returns the words of its `train`, and the environment of its `sbatch` */
async function handedOver(options: ServeOptions, environment: NodeJS.ProcessEnv = {}, document: DocumentText = {}) {
  const directory = await temporaryDirectory();
  const bin = join(directory, "bin");
  const slurm = await FakeSlurm.open(bin);
  const entry = join(directory, "ringstrasse.js");
  await writeFile(entry, "");
  const ground = await openSlurmGround(options, {
    entry,
    execPath: process.execPath,
    environment: { PATH: `${bin}:/usr/bin:/bin`, ...environment },
    sharedDirectory: join(directory, "shared"),
    note: () => undefined,
  });
  const store = await STORE_KINDS[0]!.open(directory);
  onTestFinished(() => store[Symbol.asyncDispose]());
  const log = createLogger("silent", { process: "test" });
  const base = { store, ground, judge: NO_JUDGE, dataDirectory: directory, log };
  const service = await openJobService({ ...base, options: jobOptions(options) });
  onTestFinished(() => service[Symbol.asyncDispose]());
  await upload({ store }, "rows.txt");
  const { id } = await service.submit({ format: "xml", bytes: Buffer.from(documentXml(document)) });
  await service.queue(id);
  await expect.poll(() => slurm.submitted(), { timeout: 30_000 }).toHaveLength(1);
  const folder = join(directory, "shared", "jobs", id);
  const [key = ""] = await readdir(folder);
  const script = await readFile(join(folder, key, "train.sbatch"), "utf8");
  const words = / train (.*) &$/m.exec(script)?.[1]?.split(" ") ?? [];
  const warnings = async () => (await service.detail(id)).warnings;
  return { words, environment: await slurm.environmentOf("sbatch"), warnings };
}

/** What `train` makes of an option of its command line; undefined: it was not given. */
function optionOf(words: readonly string[], name: keyof typeof TRAIN_OPTIONS): unknown {
  const given = words.find((word) => word.startsWith(`--${name}=`));
  return given === undefined ? undefined : TRAIN_OPTIONS[name].schema.parse(given.slice(name.length + 3));
}

describe("serve --launcher slurm", () => {
  it.each([
    [{}, 10],
    [{ "checkpoint-minutes": 2.5 }, 2.5],
    [{ "checkpoint-minutes": 0 }, undefined],
    [{ "checkpoint-minutes": 0, "checkpoint-steps": 100 }, undefined],
    [{ "checkpoint-steps": 100 }, undefined],
  ])("%j: its jobs save their state every %s minutes, as train takes it", async (options: ServeOptions, minutes) => {
    const { words } = await handedOver(options);
    expect(optionOf(words, "checkpoint-minutes")).toBe(minutes);
    expect(optionOf(words, "checkpoint-steps")).toBe(options["checkpoint-steps"]);
  });

  it("leaves checkpoints by steps out for an asynchronous job, which is told", async () => {
    const parameters = { strategy: "async" };
    const { words, warnings } = await handedOver({ "checkpoint-steps": 100 }, {}, { parameters });
    expect(optionOf(words, "checkpoint-minutes")).toBe(10);
    expect(optionOf(words, "checkpoint-steps")).toBeUndefined();
    await expect
      .poll(warnings, { timeout: 30_000 })
      .toEqual([expect.stringContaining("--checkpoint-steps is left out")]);
  });

  it("tells its jobs where engines are, and no options or secrets of its own", async () => {
    const own = { RINGSTRASSE_TOKEN: "a secret", RINGSTRASSE_CONFIG: "/etc/ringstrasse.json" };
    const { environment } = await handedOver({}, { RINGSTRASSE_ENGINE_DIR: "/shared/engines", ...own });
    expect(environment.filter((line) => line.startsWith("RINGSTRASSE_"))).toEqual([
      "RINGSTRASSE_ENGINE_DIR=/shared/engines",
    ]);
  });

  it.each([
    [{ workers: 2 }, "--workers"],
    [{ "control-port": 7070 }, "--control-port"],
    [{ "after-worker-loss": "resume" }, "--after-worker-loss"],
    [{ "gpus-per-node": 2, "tasks-per-node": 4 }, "--tasks-per-node"],
  ] as const)("%j: refused, naming %s", async (options, option) => {
    expect(await opened(options)).toMatchObject({ code: "USAGE", option });
  });

  it("refuses a folder whose path Slurm can't take", async () => {
    expect(await opened({}, "our jobs")).toMatchObject({ code: "USAGE", option: "--shared-dir" });
  });

  it("says that there is no Slurm, and where there would be one", async () => {
    expect(await opened({})).toMatchObject({
      code: "BATCH_REFUSED",
      problem: "there is no command sinfo here",
      remedy: expect.stringContaining("login node"),
    });
  });

  it.each([[{ nodes: 2 }], [{ partition: "gpu" }], [{ "shared-dir": "/shared" }]])(
    "%j means nothing to a server with workers, and is refused there",
    async (options) => {
      const [name] = Object.keys(options);
      const failure = await failureOf(() => refuseBatchOptions(options));
      expect(failure).toMatchObject({
        code: "USAGE",
        option: `--${name}`,
        remedy: expect.stringContaining("--launcher slurm"),
      });
    },
  );

  it("lets a server with workers have everything else", () => {
    expect(() => refuseBatchOptions({ workers: 2, port: 0 })).not.toThrow();
  });
});
