import { execFile } from "node:child_process";
import { chmod, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { buildSidecar } from "../../../../../worker/mpi/sidecar/build-sidecar.js";
import { failureWithCode } from "../../../../support/failure-with-code.js";
import { MPI_LAUNCHERS } from "../../../../support/mpi-launchers.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL("../../../../../worker/mpi/sidecar/sidecar.c", import.meta.url));

/** With a cache of the test's own. */
async function ownCache() {
  const cache = await temporaryDirectory();
  return { cache, environment: { ...process.env, XDG_CACHE_HOME: cache } };
}

for (const { compiler, compilerPackage, compiles } of MPI_LAUNCHERS) {
  describe.skipIf(!compiles)(`sidecar for ${compiler} (${compilerPackage})`, () => {
    it("is compiled without a warning", async () => {
      const strict = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"];
      await run(compiler, [...strict, "-o", join(await temporaryDirectory(), "sidecar"), SOURCE]);
    });

    it("two processes that build it at once get one whole program, which is used again", async () => {
      const { cache, environment } = await ownCache();
      const building = { launcher: "openmpi", compiler, environment } as const;
      const both = await Promise.all([buildSidecar(building), buildSidecar(building)]);
      const [program] = both;
      expect(new Set(both).size).toBe(1);
      expect(program).toMatch(
        new RegExp(`^${cache}/ringstrasse/mpi-sidecar/\\w+-\\w+-[0-9a-f]{16}/ringstrasse-mpi-sidecar$`),
      );
      const { mtimeMs, ino } = await stat(program);
      expect(await buildSidecar(building)).toBe(program);
      expect(await stat(program)).toMatchObject({ mtimeMs, ino });
      const files = await readdir(cache, { recursive: true, withFileTypes: true });
      expect(files.filter((file) => file.isFile()).map(({ name }) => name)).toEqual(["ringstrasse-mpi-sidecar"]);
      await expect(run(program)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("--mpi-binding") });
    });
  });
}

it.skipIf(!MPI_LAUNCHERS.every(({ compiles }) => compiles))(
  "sidecars for several MPIs live side by side (libopenmpi-dev, libmpich-dev)",
  async () => {
    const { environment } = await ownCache();
    const build = ({ compiler }: { readonly compiler: string }): Promise<string> =>
      buildSidecar({ launcher: "openmpi", compiler, environment });
    expect(new Set(await Promise.all(MPI_LAUNCHERS.map(build))).size).toBe(MPI_LAUNCHERS.length);
  },
);

describe("buildSidecar", () => {
  it.each([
    ["openmpi", null, "looked for mpicc.openmpi, mpicc)"],
    ["pmi", null, "looked for mpicc.mpich, mpicc)"],
    ["pmi", "mpicc-of-nobody", "--mpi-compiler names mpicc-of-nobody, which is not there"],
  ] as const)("%s, --mpi-compiler %s: names what is missing, and how to get it", async (launcher, compiler, says) => {
    const environment = { PATH: await temporaryDirectory() };
    const building = { launcher, compiler, environment };
    const failure = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => buildSidecar(building));
    expect(failure.problem).toContain(says);
    expect(failure.remedy).toMatch(/libopenmpi-dev or libmpich-dev.*--mpi-compiler/);
  });

  it("a compiler that fails has the last word, and leaves nothing", async () => {
    const { cache, environment } = await ownCache();
    const compiler = join(await temporaryDirectory(), "mpicc");
    await writeFile(compiler, '#!/bin/sh\n[ "$1" = -E ] && exit 0\necho "ld: -lmpi is nowhere" >&2\nexit 1\n');
    await chmod(compiler, 0o755);
    const building = { launcher: "openmpi", compiler, environment } as const;
    const failure = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => buildSidecar(building));
    expect(failure.problem).toBe(`${compiler} can't compile the MPI sidecar:\nld: -lmpi is nowhere\n`);
    const files = await readdir(cache, { recursive: true, withFileTypes: true });
    expect(files.filter((file) => file.isFile())).toEqual([]);
  });

  it("a cache that can't be written to is named, and how to have another", async () => {
    const compiler = join(await temporaryDirectory(), "mpicc");
    await writeFile(compiler, "#!/bin/sh\nexit 0\n");
    await chmod(compiler, 0o755);
    const building = { launcher: "openmpi", compiler, environment: { XDG_CACHE_HOME: "/proc/none" } } as const;
    const failure = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => buildSidecar(building));
    expect(failure.problem).toContain("can't be kept as /proc/none/ringstrasse/mpi-sidecar/");
    expect(failure.remedy).toContain("XDG_CACHE_HOME");
  });
});
