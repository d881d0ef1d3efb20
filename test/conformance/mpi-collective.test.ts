import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { MPI_LAUNCHERS } from "../support/mpi-launchers.js";
import type { RankReport } from "../support/mpi-rank.js";
import { ROOT } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const run = promisify(execFile);

/**
 * What every ordered collective and ring link promises, over MPI: ranks are processes that MPI has started, so that the program is made
 * of the suite's own sources and the compiled workers.
 */
async function rankProgram(): Promise<string> {
  const folder = await temporaryDirectory();
  await mkdir(join(folder, "test/support"), { recursive: true });
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  for (const part of ["worker", "shared"]) await symlink(join(ROOT, "dist", part), join(folder, part));
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  for (const name of ["exchange-group", "reference-fold", "reference-sixteen-bits", "mpi-rank"]) {
    const source = await readFile(join(ROOT, "test/support", `${name}.ts`), "utf8");
    const { outputText } = ts.transpileModule(source, { compilerOptions });
    await writeFile(join(folder, "test/support", `${name}.js`), outputText);
  }
  return join(folder, "test/support/mpi-rank.js");
}

const BINDINGS = MPI_LAUNCHERS.flatMap((launcher) => {
  const { name, compilerPackage, isInstalled, compiles } = launcher;
  const isThere = isInstalled && compiles;
  return [
    { ...launcher, binding: "ffi", worlds: [1, 2, 3, 4], isThere: isInstalled },
    {
      ...launcher,
      binding: "sidecar",
      worlds: [1, 2, 3, 4],
      name: `${name} by a sidecar (${compilerPackage})`,
      isThere,
    },
    // From four ranks on Open MPI chooses its algorithm by more than their number.
    { ...launcher, binding: "mixed", worlds: [2, 3, 4, 5], name: `${name} by both (${compilerPackage})`, isThere },
  ];
});

for (const { name, command, binding, worlds, options, isThere } of BINDINGS) {
  describe.skipIf(!isThere)(`ordered collective and ring link over ${name}`, () => {
    it.each(worlds)("%i ranks give the reference's bits and keep the frames", async (ranks) => {
      const program = await rankProgram();
      const folder = await temporaryDirectory();
      const of = [...options, "-np", String(ranks), process.execPath, program, binding, folder];
      await run(command, of, { timeout: 55_000, killSignal: "SIGTERM" });
      for (let rank = 0; rank < ranks; rank++) {
        const report = JSON.parse(await readFile(join(folder, `${rank}.json`), "utf8")) as RankReport;
        expect(report).toMatchObject({ size: ranks, wrong: [] });
        expect(report.checked).toBeGreaterThan(2000);
      }
    });
  });
}
