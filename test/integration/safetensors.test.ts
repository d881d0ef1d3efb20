import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { writeModel } from "../../shared/model-file/write-model.js";
import { pythonWithSafetensors } from "../support/python-environment.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { tinyModel } from "../support/trained-model.js";

const SCRIPT = `
import hashlib, json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework="np") as file:
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    order = ["hidden_1/kernel", "hidden_1/bias", "output/kernel", "output/bias"]
    print(json.dumps({
        "metadata": file.metadata(),
        "dtypes": sorted({str(tensor.dtype) for tensor in tensors.values()}),
        "shapes": {name: list(tensor.shape) for name, tensor in tensors.items()},
        "sums": {name: float(tensor.astype("float64").sum()) for name, tensor in tensors.items()},
        "sha256": hashlib.sha256(b"".join(tensors[name].tobytes() for name in order)).hexdigest(),
    }))
`;

describe("model.safetensors with PyPI's safetensors", () => {
  let python = "";
  beforeAll(async () => {
    python = await pythonWithSafetensors();
  }, 180_000);

  it("opens, with the same names, shapes, sums and SHA-256", async () => {
    const directory = join(await temporaryDirectory(), "model");
    const hash = await writeModel(directory, tinyModel());
    const { stdout } = await promisify(execFile)(python, ["-c", SCRIPT, join(directory, "model.safetensors")]);
    const seen = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
    expect(seen["sha256"]).toBe(hash);
    expect(seen["dtypes"]).toEqual(["float32"]);
    const shapes = { "hidden_1/kernel": [4, 5], "hidden_1/bias": [5], "output/kernel": [5, 3], "output/bias": [3] };
    expect(seen["shapes"]).toEqual(shapes);
    expect(seen["metadata"]).toMatchObject({
      weightsSha256: hash,
      jobId: "iris-1",
      generatedBy: "ringstrasse 0.0.0-test",
    });

    const weights = await readFile(join(directory, "weights.bin"));
    let at = 0;
    for (const [name, shape] of Object.entries(shapes)) {
      let sum = 0;
      for (let left = shape.reduce((product, size) => product * size, 1); left > 0; left--)
        sum += weights.readFloatLE(4 * at++);
      expect(seen["sums"]?.[name]).toBeCloseTo(sum, 9);
    }
  });
});
