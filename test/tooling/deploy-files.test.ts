import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { isOnPath } from "../support/is-on-path.js";
import { hadolint } from "../support/python-environment.js";
import { ROOT } from "../support/run-command.js";

const run = promisify(execFile);
const read = (name: string): Promise<string> => readFile(join(ROOT, name), "utf8");

/** The sections of an Apptainer definition, all of one name together. */
function sections(definition: string, name: string): string {
  const found = definition.matchAll(new RegExp(`^%${name}\\b.*\\n((?:(?!%|Bootstrap:).*\\n)*)`, "gm"));
  return [...found].map(({ 1: body = "" }) => body).join("");
}

describe("files of deploy/", () => {
  it("Dockerfiles have nothing that hadolint minds", async ({ skip }) => {
    const command = await hadolint();
    if (command === null) skip("PyPI can't be reached");
    const { stdout } = await run(command ?? "", ["deploy/Dockerfile", "deploy/Dockerfile.gpu"], { cwd: ROOT });
    expect(stdout).toBe("");
  }, 180_000);

  it("the definition for Apptainer takes in what the image takes in, all of which is there", async () => {
    const definition = await read("deploy/ringstrasse.def");
    const allowed = (await read(".dockerignore")).matchAll(/^!(.+)$/gm);
    const files = [...sections(definition, "files").matchAll(/^ {4}(\S+) \/src\/(\S+)$/gm)];
    expect(files.map(([, from]) => from).sort()).toEqual([...allowed].map(([, name]) => name).sort());
    for (const [, from = "", to] of files) {
      expect(to).toBe(from);
      expect([from, existsSync(join(ROOT, from))]).toEqual([from, true]);
    }
  });

  it("the definition for Apptainer is made by the steps of the image", async () => {
    const definition = await read("deploy/ringstrasse.def");
    const image = (await read("deploy/Dockerfile")).replaceAll(/\\\n\s*/g, "");
    const steps = [...image.matchAll(/^RUN (.*)$/gm)].flatMap(({ 1: line = "" }) => line.split(" && "));
    const own = sections(definition, "post")
      .split("\n")
      .map((line) => line.trim());
    // The image's own folder for data is nobody's in Apptainer, where the user's are mounted.
    const expected = steps.map((step) => step.trim()).filter((step) => !/\/data/.test(step));
    expect(own.filter((line) => expected.includes(line))).toEqual(expected);
  });

  it("whoever copies a run under srun has all that its ranks need", async () => {
    const pages = (await readdir(join(ROOT, "docs"))).filter((name) => name.endsWith(".md"));
    const texts = ["deploy/ringstrasse.def", ...pages.map((name) => join("docs", name))].map(async (name) => {
      const text = (await read(name)).replaceAll(/\\\n\s*/g, "");
      // A block is of lines that follow each other.
      return text.split("\n\n").filter((block) => /^\s*srun .*\btrain\b/m.test(block));
    });
    const blocks = (await Promise.all(texts)).flat();
    expect(blocks.length).toBeGreaterThan(2);
    for (const block of blocks) expect(block).toMatch(/export RINGSTRASSE_TOKEN=[\s\S]*^\s*srun --mpi=/m);
  });

  it.skipIf(!isOnPath("shellcheck"))("its scripts have nothing that shellcheck minds (needs shellcheck)", async () => {
    const definition = await read("deploy/ringstrasse.def");
    for (const name of ["post", "runscript", "test", "environment"]) {
      const input = sections(definition, name);
      expect(input).not.toBe("");
      const { stdout, status } = spawnSync("shellcheck", ["--shell=sh", "-"], { input, encoding: "utf8" });
      expect([name, stdout, status]).toEqual([name, "", 0]);
    }
  });

  it.skipIf(!isOnPath("docker-compose"))(
    "each worker of compose.gpu.yaml has one GPU, another than the others (needs docker-compose)",
    async () => {
      const files = ["-f", "deploy/compose.yaml", "-f", "deploy/compose.gpu.yaml"];
      const env = { ...process.env, RINGSTRASSE_TOKEN: "a-good-token" };
      const { stdout } = await run("docker-compose", [...files, "config"], { cwd: ROOT, env });
      // What Compose prints of a service begins with two spaces and its name.
      const services = [...stdout.matchAll(/^ {2}(gpu-\d+):\n((?: {4}.*\n)+)/gm)];
      expect(services.map(([, name]) => name)).toEqual(["gpu-0", "gpu-1"]);
      const gpus = services.map(([, , body = ""]) => /device_ids:\n\s+- '(\d+)'/.exec(body)?.[1]);
      expect(gpus).toEqual(["0", "1"]);
      for (const [, , body = ""] of services) {
        expect(body).toMatch(/image: ringstrasse-gpu\n/);
        expect(body).toMatch(/read_only: true\n/);
        expect(body).toMatch(/cap_drop:\n\s+- ALL\n/);
      }
    },
  );

  it.skipIf(!isOnPath("docker-compose"))("nothing starts without a token (needs docker-compose)", () => {
    const { RINGSTRASSE_TOKEN: _token, ...env } = process.env;
    const { status, stderr } = spawnSync("docker-compose", ["-f", "deploy/compose.yaml", "config"], { cwd: ROOT, env });
    expect(status).not.toBe(0);
    expect(String(stderr)).toContain("set it in deploy/.env, at least 8 characters");
  });

  it.skipIf(!isOnPath("docker-compose"))("settings reach the coordinator (needs docker-compose)", async () => {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("RINGSTRASSE_"));
    const environmentWith = async (settings: NodeJS.ProcessEnv) => {
      const env = { ...Object.fromEntries(own), RINGSTRASSE_TOKEN: "a-good-token", ...settings };
      const { stdout } = await run("docker-compose", ["-f", "deploy/compose.yaml", "config"], { cwd: ROOT, env });
      return /^ {2}coordinator:\n(?: {4}.*\n)*? {4}environment:\n((?: {6}.*\n)+)/m.exec(stdout)?.[1] ?? "";
    };
    const given = await environmentWith({ RINGSTRASSE_ENCRYPT: "true", RINGSTRASSE_READ_TOKEN: "only-to-look" });
    expect(given).toMatch(/RINGSTRASSE_ENCRYPT: ['"]true['"]\n/);
    expect(given).toContain("RINGSTRASSE_READ_TOKEN: only-to-look\n");
    const usual = await environmentWith({});
    expect(usual).toMatch(/RINGSTRASSE_ENCRYPT: ['"]false['"]\n/);
    // Which is: not set in the container.
    expect(usual).toContain("RINGSTRASSE_READ_TOKEN: null\n");
  });

  it("every setting of the Compose files is told in .env.example", async () => {
    // `${NAME…}`, or a name without a value: taken over as it is.
    const used = (await read("deploy/compose.yaml")).matchAll(/\$\{(RINGSTRASSE_\w+)|^ +(RINGSTRASSE_\w+):$/gm);
    const told = [...(await read("deploy/.env.example")).matchAll(/^#?(RINGSTRASSE_\w+)=/gm)].map(([, name]) => name);
    expect(told.sort()).toEqual([...new Set([...used].map(([, name, plain]) => name ?? plain))].sort());
  });
});
