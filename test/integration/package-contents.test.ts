import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
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
        "dist/coordinator/main.js",
        "dist/worker/main.js",
        "dist/worker/communication/communication-thread.js",
        "dist/worker/kernels/kernels.wasm",
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
      /^(dist\/(?!bench\/|test\/)[^.].*\.(js|wasm|xsd|sql|html|css|svg)|examples\/.+|slurm\/.+|docs\/.+|[A-Z]+(\.md)?|package\.json)$/;
    expect(names.filter((name) => !allowed.test(name))).toEqual([]);
  });
});
