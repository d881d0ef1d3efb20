import { mkdtemp, readFile, rm } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CAN_HAVE_ENGINE, INSTALL_MS, installedEngine, NEEDS_ENGINE } from "../support/installed-engine.js";
import { runBench } from "../support/run-bench.js";

const SHORT = ["--no-peers", "--threads=1", "--rounds=2", "--burst-ms=1", "--batch-size=20"];

interface Case {
  readonly contenders: readonly { readonly name: string; readonly firstLosses: readonly number[] }[];
  readonly figures: readonly { readonly name: string; readonly stepMs: number; readonly rounds: readonly number[] }[];
  readonly ratios: readonly { readonly name: string; readonly of: string; readonly stepMs: number }[];
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringstrasse-test-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

describe.skipIf(platform() !== "linux")("bench train (needs Linux's taskset)", () => {
  it("measures the wasm engine's steps and draws them", async () => {
    const svg = join(folder, "steps.svg");
    const args = [...SHORT, "--engines=wasm", "--networks=mlp", "--optimizers=sgd,adam", `--svg=${svg}`];
    const { exitCode, result } = await runBench("train", args);
    expect(exitCode).toBe(0);
    const cases = result["cases"] as Case[];
    expect(cases).toHaveLength(2);
    for (const { contenders, figures } of cases) {
      expect(contenders[0]?.firstLosses).toHaveLength(10);
      expect(figures[0]?.rounds).toHaveLength(2);
      expect(figures[0]?.stepMs).toBeGreaterThan(0);
    }
    expect(await readFile(svg, "utf8")).toMatch(/^<svg .*784-528-10, adam, one core.*<\/svg>\s*$/s);
  });

  it.skipIf(!CAN_HAVE_ENGINE)(
    `finds both engines computing the same (${NEEDS_ENGINE})`,
    async () => {
      const env = await installedEngine();
      const { exitCode, result } = await runBench("train", [...SHORT, "--networks=mlp", "--optimizers=momentum"], env);
      expect(result["complaints"]).toEqual([]);
      expect(exitCode).toBe(0);
      const ratios = (result["cases"] as Case[]).flatMap((one) => one.ratios);
      expect(ratios.map(({ name, of }) => [name, of])).toEqual([["wasm", "tensorflow"]]);
    },
    INSTALL_MS,
  );
});
