import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { BATCH_TEMPLATES } from "../../../../coordinator/submit/batch-templates.js";

describe("slurm/*.sbatch", () => {
  it.each(Object.entries(BATCH_TEMPLATES))(
    "%s is what submit slurm would write (vitest -u writes it)",
    async (name, text) => {
      await expect(text).toMatchFileSnapshot(fileURLToPath(new URL(`../../../../slurm/${name}`, import.meta.url)));
    },
  );
});
