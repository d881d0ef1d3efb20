import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const versions = z.record(z.string(), z.string());
const Manifest = z.object({ dependencies: versions, devDependencies: versions, overrides: versions });
const Lock = z.object({ packages: z.record(z.string(), z.object({ resolved: z.string().optional() })) });

async function readJson<T>(name: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(JSON.parse(await readFile(new URL(`../../${name}`, import.meta.url), "utf8")));
}

describe("package manifest and lock file", () => {
  it("pin every direct dependency to one version", async () => {
    const manifest = await readJson("package.json", Manifest);
    const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.overrides };
    const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).toEqual([]);
  });

  it("name no registry, so that any one can serve the installation", async () => {
    const lock = await readJson("package-lock.json", Lock);
    const named = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined);
    expect(named).toEqual([]);
    expect(Object.keys(lock.packages).length).toBeGreaterThan(1);
  });
});
