import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safetensorsHead } from "../../../../shared/model-file/safetensors.js";
import { writeModel } from "../../../../shared/model-file/write-model.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { tinyModel } from "../../../support/trained-model.js";

interface Parsed {
  readonly metadata: Record<string, string>;
  readonly tensors: Map<string, { shape: number[]; from: number; to: number }>;
  readonly dataStart: number;
}

/** The format as its documentation has it, read anew here. */
function parse(bytes: Uint8Array): Parsed {
  const buffer = Buffer.from(bytes);
  const dataStart = 8 + Number(buffer.readBigUInt64LE(0));
  const text = buffer.subarray(8, dataStart).toString("utf8");
  expect(text.startsWith("{")).toBe(true);
  const { __metadata__: metadata, ...entries } = JSON.parse(text) as Record<string, never>;
  const tensors: Parsed["tensors"] = new Map();
  for (const [name, entry] of Object.entries<{ dtype: string; shape: number[]; data_offsets: [number, number] }>(
    entries,
  )) {
    expect(entry.dtype).toBe("F32");
    tensors.set(name, { shape: entry.shape, from: entry.data_offsets[0], to: entry.data_offsets[1] });
  }
  return { metadata: metadata as unknown as Record<string, string>, tensors, dataStart };
}

describe("model.safetensors", () => {
  it("holds every tensor under its name, as the bytes of weights.bin", async () => {
    const directory = join(await temporaryDirectory(), "model");
    const model = tinyModel();
    const hash = await writeModel(directory, model);
    const bytes = await readFile(join(directory, "model.safetensors"));
    const { metadata, tensors, dataStart } = parse(bytes);
    expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
      ["hidden_1/kernel", [4, 5]],
      ["hidden_1/bias", [5]],
      ["output/kernel", [5, 3]],
      ["output/bias", [3]],
    ]);
    const bias = tensors.get("output/bias");
    expect(bias).toEqual({ shape: [3], from: 160, to: 172 });
    expect(dataStart % 8).toBe(0);
    expect(bytes.subarray(dataStart)).toEqual(Buffer.from(model.weights));
    expect(metadata).toMatchObject({ jobId: "iris-1", seed: "6", weightsSha256: hash });
    expect(JSON.parse(metadata["model"] ?? "")).toEqual(model.facts.model);
    expect(JSON.parse(metadata["classNames"] ?? "")).toEqual(model.facts.classNames);
  });

  it("is 8-byte aligned and free of gaps for any names and shapes", () => {
    const name = fc.stringMatching(/^[a-z]{1,20}\/(kernel|bias)$/);
    const shape = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 3 });
    const tensors = fc.uniqueArray(fc.record({ name, shape }), { selector: (tensor) => tensor.name, minLength: 1 });
    fc.assert(
      fc.property(tensors, fc.dictionary(fc.string(), fc.string()), (list, metadata) => {
        const head = safetensorsHead(
          list.map((tensor) => ({ ...tensor, dtype: "float32" })),
          metadata,
        );
        const parsed = parse(head);
        expect(parsed.dataStart).toBe(head.byteLength);
        expect(head.byteLength % 8).toBe(0);
        expect(Object.entries(parsed.metadata).sort()).toEqual(Object.entries(metadata).sort());
        let end = 0;
        for (const { name: key, shape: sizes } of list) {
          const found = parsed.tensors.get(key);
          expect(found?.from).toBe(end);
          end += 4 * sizes.reduce((product, size) => product * size, 1);
          expect(found?.to).toBe(end);
        }
      }),
    );
  });
});
