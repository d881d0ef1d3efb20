import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import type { ServeOptions } from "../../../../coordinator/cli/serve-options.js";
import { openSlurmGround, refuseBatchOptions } from "../../../../coordinator/serve/slurm-service.js";
import { failureOf } from "../../../support/failure-of.js";
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

describe("serve --launcher slurm", () => {
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
