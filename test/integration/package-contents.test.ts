import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const Manifest = z.object({ dependencies: z.record(z.string(), z.string()) });
const PackReport = z.array(z.object({ files: z.array(z.object({ path: z.string(), mode: z.number() })) })).length(1);

/** Files that `npm publish` would upload, with their modes. */
async function packedFiles(): Promise<Map<string, number>> {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: ROOT,
  });
  const [report] = PackReport.parse(JSON.parse(stdout));
  return new Map(report?.files.map(({ path, mode }) => [path, mode]));
}

describe("npm package", () => {
  it("holds what the command needs at run time, and nothing that is only for developers", async () => {
    const files = await packedFiles();
    const names = [...files.keys()];
    expect(names).toEqual(
      expect.arrayContaining([
        "package.json",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "dist/ringstrasse.js",
        "dist/chunks/coordinator-main.js",
        "dist/chunks/worker-main.js",
        "dist/THIRD-PARTY-NOTICES.txt",
        "dist/worker/communication/communication-thread.js",
        "dist/worker/data/batch-reader-thread.js",
        "dist/worker/kernels/kernels.wasm",
        "dist/worker/mpi/sidecar/sidecar.c",
        "dist/coordinator/vinnsl/schemas/vinnsl.xsd",
        "dist/coordinator/store/migrations/0001-jobs-and-files.sql",
        "dist/coordinator/store/migrations/0002-file-owners.sql",
        "dist/coordinator/dashboard/index.html",
        "examples/iris/iris.xml",
        "examples/iris/iris.csv",
        "examples/digits/digits.xml",
        "examples/digits/digits.csv",
        "slurm/train.sbatch",
        "slurm/train-gpu.sbatch",
      ]),
    );
    expect((files.get("dist/ringstrasse.js") ?? 0) & 0o111).not.toBe(0);
    const allowed =
      /^(dist\/(ringstrasse|chunks\/[\w-]+|worker\/\w+\/[a-z-]+-thread)\.js|dist\/THIRD-PARTY-NOTICES\.txt|dist\/coordinator\/dashboard\/.+|dist\/.+\.(wasm|xsd|sql|c)|examples\/.+|slurm\/.+|docs\/.+|[A-Z]+(\.md)?|package\.json)$/;
    expect(names.filter((name) => !allowed.test(name))).toEqual([]);
  });

  it("depends on the packages that its files load, and on no other", async () => {
    const manifest = Manifest.parse(JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")));
    const scripts = [...(await packedFiles()).keys()].filter((name) => /^dist\/(?!coordinator).*\.js$/.test(name));
    const texts = await Promise.all(scripts.map((name) => readFile(join(ROOT, name), "utf8")));
    const loaded = texts.flatMap((text) =>
      [...text.matchAll(/^(?:import|export) [^"\n]*"([^"./][^"]*)";$/gm)].map(([, specifier = ""]) => specifier),
    );
    const packages = loaded
      .filter((specifier) => !isBuiltin(specifier))
      .map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0]);
    expect([...new Set(packages)].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });
});
