import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { DockerEngine, NO_DOCKER } from "../support/docker-engine.js";
import { blocksOf, Shell } from "../support/page-shell.js";
import { ROOT, runTrain } from "../support/run-command.js";

const PAGE = "docs/docker.md";
/** In the Dockerfile. */
const BASE = "node:20-bookworm-slim";
/** Debian's Compose is a command of its own. */
const COMPOSE =
  'docker() { if [ "$1" = compose ]; then shift; command docker-compose "$@"; else command docker "$@"; fi; }';

/** Of the page's `build` blocks. */
async function build(engine: DockerEngine): Promise<void> {
  await engine.startForBuilding();
  await promisify(execFile)(join(ROOT, "test/cluster/stand-in-base.sh"), [BASE], { env: engine.environment });
  const args = ["build", "--network=host", "-f", "deploy/Dockerfile", "-t", "ringstrasse", "."];
  const asDocumented = blocksOf(await readFile(join(ROOT, PAGE), "utf8")).filter(({ marker }) => marker === "build");
  expect(asDocumented.map(({ text }) => text.trim())).toEqual([
    `docker ${args.filter((arg) => arg !== "--network=host").join(" ")}`,
  ]);
  await engine.docker(args, ROOT);
}

const Image = z.array(z.object({ Size: z.number(), Config: z.object({ User: z.string(), Env: z.array(z.string()) }) }));

async function expectSoundImage(engine: DockerEngine): Promise<void> {
  const [image] = Image.parse(JSON.parse(await engine.docker(["image", "inspect", "ringstrasse"])));
  expect(image?.Config.User).toBe("1000:1000");
  expect(image?.Config.Env.filter((entry) => /token/i.test(entry))).toEqual([]);
  const run = ["run", "--rm", "--network=none", "--entrypoint", "sh", "ringstrasse", "-c"];
  const packages = await engine.docker([...run, "ls node_modules node_modules/@*"]);
  expect(packages).toContain("zeromq");
  expect(packages).not.toMatch(/typescript|vitest|rolldown/);
  expect(
    (await engine.docker(["run", "--rm", "--read-only", "--network=none", "ringstrasse", "--version"])).trim(),
  ).toMatch(/^\d/);
}

describe.skipIf(NO_DOCKER !== null)(
  `containers (needs Docker's engine, Compose and root: ${NO_DOCKER ?? "here"})`,
  () => {
    it(`${PAGE}: image, three workers, the bits of train, a dead worker's name, a clean stop, nothing lost`, async () => {
      await using engine = await DockerEngine.open();
      await build(engine);
      await engine.startForRunning();
      await expectSoundImage(engine);

      const shell = new Shell(ROOT, { env: engine.environment, through: engine.inNetwork, prelude: COMPOSE });
      const outputs: string[] = [];
      for (const block of blocksOf(await readFile(join(ROOT, PAGE), "utf8"))) {
        if (block.marker === "run") outputs.push(await shell.run(block.text, `${PAGE}:${block.line}`));
      }
      const [, joined = "", trained = "", killed = "", back = "", stopped = ""] = outputs;
      expect(joined).toContain('"workers":3');

      const plain = await runTrain([
        join(ROOT, "examples/iris/iris-cluster.xml"),
        "--data",
        join(ROOT, "examples/iris/iris.csv"),
        "--workers=3",
      ]);
      expect(trained).toContain("FINISHED");
      expect(trained.trim().split("\n").at(-1)).toBe(plain.finished.weightsSha256);

      const victim = /^([0-9a-f]{64})$/m.exec(killed)?.[1] ?? "";
      expect(killed).toContain('"ERROR"');
      expect(killed).toContain(`host: '${victim.slice(0, 12)}'`);
      expect(killed).toMatch(/code: 'WORKER_[A-Z_]+'/);
      expect(back).toContain('"workers":3');

      expect([...stopped.matchAll(/^[0-9a-f]{12} (\d+)$/gm)].map(([, code]) => code).sort()).toEqual([
        "0",
        "130",
        "130",
        "130",
      ]);
      expect(stopped).toContain("FINISHED");
    });
  },
);
