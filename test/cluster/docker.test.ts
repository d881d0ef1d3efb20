import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { DockerEngine, NO_DOCKER } from "../support/docker-engine.js";
import { blocksOf, Shell } from "../support/page-shell.js";
import { ROOT, runTrain } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

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
/** What the image has beyond its base; measured: 75 MB. */
const MOST_ADDED_BYTES = 85e6;

async function expectSoundImage(engine: DockerEngine): Promise<void> {
  const [image] = Image.parse(JSON.parse(await engine.docker(["image", "inspect", "ringstrasse"])));
  const [base] = Image.parse(JSON.parse(await engine.docker(["image", "inspect", BASE])));
  expect((image?.Size ?? Number.NaN) - (base?.Size ?? Number.NaN)).toBeLessThan(MOST_ADDED_BYTES);
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

const Container = z.object({
  HostConfig: z.object({
    ReadonlyRootfs: z.literal(true),
    CapDrop: z.tuple([z.literal("ALL")]),
    Privileged: z.literal(false),
  }),
});
/** Who a process of the container is, and what it may do. */
const LOOK = "id -u; grep CapEff /proc/self/status; touch /opt/ringstrasse/x 2>&1 || true";

/** Every container that runs is as little as it can be, by its settings and by trying. */
async function expectConfined(engine: DockerEngine): Promise<void> {
  const ids = (await engine.docker(["ps", "-q"])).trim().split("\n");
  expect(ids).toHaveLength(4);
  z.array(Container).parse(JSON.parse(await engine.docker(["inspect", ...ids])));
  for (const id of ids) {
    const seen = await engine.docker(["exec", id, "sh", "-c", LOOK]);
    expect(seen).toMatch(/^1000\nCapEff:\s0{16}\n.*Read-only file system/);
  }
}

/** The undisturbed run of the document that the page trains. @returns its hash */
async function plainHash(epochs: number, replicas = 3): Promise<string> {
  const files = [join(ROOT, "examples/iris/iris-cluster.xml"), "--data", join(ROOT, "examples/iris/iris.csv")];
  const out = await temporaryDirectory();
  const { finished } = await runTrain([
    ...files,
    "--workers=3",
    `--replicas=${replicas}`,
    `--epochs=${epochs}`,
    "--out",
    out,
  ]);
  return finished.weightsSha256;
}

/** Names the culprit, by its container, and goes on behind where it was lost. */
function expectVerdict(output: string): void {
  // What was done to it is the last command that tells an id.
  const victim = [...output.matchAll(/^([0-9a-f]{64})$/gm)].at(-1)?.[1] ?? "no container";
  expect(output).toContain('"ERROR"');
  expect(output).toContain(`host: '${victim.slice(0, 12)}'`);
  expect(output).toMatch(/code: 'WORKER_[A-Z]+'/);
}

function resumedStep(output: string): number {
  return Number(/"event":"resumed","epoch":\d+,"step":(\d+)/.exec(output)?.[1]);
}

const lastLine = (output: string): string => output.trim().split("\n").at(-1) ?? "";

describe.skipIf(NO_DOCKER !== null)(
  `containers (needs Docker's engine, Compose and root: ${NO_DOCKER ?? "here"})`,
  () => {
    it(`${PAGE}: image, one to four workers, the bits of train; killed, paused, cut off and stopped in mid-job: names, and the same bits`, async () => {
      await using engine = await DockerEngine.open();
      await build(engine);
      await engine.startForRunning();
      await expectSoundImage(engine);

      // The page has the settings that readers want; the shorter silence is the test's.
      const env = { ...engine.environment, RINGSTRASSE_SILENCE_TIMEOUT: "4" };
      const shell = new Shell(ROOT, { env, through: engine.inNetwork, prelude: COMPOSE });
      const outputs: string[] = [];
      for (const block of blocksOf(await readFile(join(ROOT, PAGE), "utf8"))) {
        if (block.marker === "run") outputs.push(await shell.run(block.text, `${PAGE}:${block.line}`));
        if (outputs.length === 2) await expectConfined(engine);
      }
      const [
        ,
        joined = "",
        trained = "",
        scaled = "",
        killed = "",
        again = "",
        paused = "",
        cutOff = "",
        restarted = "",
        stopped = "",
      ] = outputs;
      expect(joined).toContain('"workers":3');
      expect(trained).toContain("FINISHED");
      expect(lastLine(trained)).toBe(await plainHash(500));

      const onOneTwoFour = [...scaled.matchAll(/^[0-9a-f]{64}$/gm)].map(([hash]) => hash);
      expect(onOneTwoFour).toEqual(Array(3).fill(await plainHash(500, 4)));

      for (const output of [killed, paused, cutOff]) expectVerdict(output);
      const steps = [again, paused, cutOff].map(resumedStep);
      expect(steps[0]).toBeGreaterThan(0);
      expect(steps).toEqual([...steps].sort((a, b) => a - b));
      const undisturbed = await plainHash(1200);
      expect(restarted).toContain('"FINISHED"');
      expect(lastLine(restarted)).toBe(undisturbed);

      const ends = [...stopped.matchAll(/^[0-9a-f]{12} (\d+)$/gm)].map(([, code]) => code);
      expect(ends.sort()).toEqual(["0", "130", "130", "130"]);
      expect(resumedStep(stopped)).toBeGreaterThan(0);
      expect(stopped).toContain('"FINISHED"');
      expect(stopped).toContain(undisturbed);
    });
  },
);
