import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { IdxSource } from "../../../../shared/data/idx-source.js";
import { findLabels, openLabelledImages, requireLabels } from "../../../../shared/data/labelled-images.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { idxFile } from "../../../support/idx-file.js";
import { realData } from "../../../support/real-data.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const BYTES = Uint8Array.from({ length: 24 }, (_, index) => index * 3);

async function file(content: Uint8Array, name = "some-images-idx3-ubyte"): Promise<string> {
  const path = join(await temporaryDirectory(), name);
  await writeFile(path, content);
  return path;
}

async function readAll(path: string, maxBytes?: number) {
  await using source = await IdxSource.open(path);
  const bytes: number[] = [];
  const firsts: number[] = [];
  for await (const piece of source.items(maxBytes)) {
    firsts.push(piece.first);
    expect(piece.bytes).toHaveLength(piece.count * source.itemSize);
    bytes.push(...piece.bytes);
  }
  return { count: source.count, shape: source.shape, itemSize: source.itemSize, bytes, firsts };
}

describe("IdxSource", () => {
  it("reads images and labels, plain and gzipped, in pieces of whole items", async () => {
    const content = idxFile([4, 2, 3], BYTES);
    for (const packed of [content, gzipSync(content)]) {
      const images = await readAll(await file(packed), 13);
      expect(images).toEqual({ count: 4, shape: [2, 3], itemSize: 6, bytes: [...BYTES], firsts: [0, 2] });
    }
    // An item larger than a piece may be.
    expect((await readAll(await file(content), 1)).firsts).toEqual([0, 1, 2, 3]);
    expect(await readAll(await file(idxFile([24], BYTES)))).toMatchObject({ count: 24, shape: [], itemSize: 1 });
    expect(await readAll(await file(idxFile([4, 6], BYTES)))).toMatchObject({ count: 4, shape: [6], itemSize: 6 });
  });

  it.each([
    ["CSV", Buffer.from("1,2,3\n"), "magic"],
    ["an empty file", Buffer.alloc(0), "magic"],
    ["float32 elements", idxFile([4, 2, 3], BYTES, 0x0d), "32-bit float"],
    ["a header cut off", idxFile([4, 2, 3], []).subarray(0, 10), "header"],
    ["no items", idxFile([0, 2, 3], []), "no items"],
    ["dimensions beyond reason", idxFile([2 ** 31, 2 ** 31, 2 ** 31], []), "beyond"],
  ])("refuses %s", async (_, content, words) => {
    const path = await file(content);
    const failure = await failureWithCode("DATA_INVALID", () => IdxSource.open(path));
    expect(failure.file).toBe(path);
    expect(failure.problem).toContain(words);
  });

  it("names the item where a file is cut off, and refuses bytes after the last one", async () => {
    const short = await file(idxFile([4, 2, 3], BYTES.subarray(0, 17)));
    const cut = await failureWithCode("DATA_INVALID", () => readAll(short));
    expect(cut).toMatchObject({ row: 3 });
    expect(cut.problem).toContain("announces 4 items, it holds 2");
    expect(await failureWithCode("DATA_INVALID", () => readAll(short, 6))).toMatchObject({ row: 3 });

    const long = await failureWithCode("DATA_INVALID", async () => readAll(await file(idxFile([3, 2, 3], BYTES))));
    expect(long).toMatchObject({ row: 4 });
    expect(long.problem).toContain("goes on after the 3 items");
  });

  it("refuses gzip data cut off", async () => {
    const packed = gzipSync(idxFile([4, 2, 3], BYTES));
    const path = await file(packed.subarray(0, packed.length - 9));
    expect((await failureWithCode("DATA_INVALID", () => readAll(path))).problem).toContain("gzip");
  });

  it("says which file is missing", async () => {
    const failure = await failureWithCode("INPUT_MISSING", () => IdxSource.open("/nowhere/images"));
    expect(failure.file).toBe("/nowhere/images");
  });
});

describe("labels of images", () => {
  it("are found by MNIST's naming, in either packing", async () => {
    const folder = await temporaryDirectory();
    const images = join(folder, "train-images-idx3-ubyte.gz");
    expect(await findLabels(images)).toBeNull();
    await writeFile(join(folder, "train-labels-idx1-ubyte"), "");
    expect(await findLabels(images)).toBe(join(folder, "train-labels-idx1-ubyte"));
    await writeFile(join(folder, "train-labels-idx1-ubyte.gz"), "");
    expect(await findLabels(images)).toBe(join(folder, "train-labels-idx1-ubyte.gz"));
    expect(await findLabels(join(folder, "train-images-idx3-ubyte"))).toBe(join(folder, "train-labels-idx1-ubyte"));
    await writeFile(join(folder, "t10k-labels.idx1-ubyte"), "");
    expect(await findLabels(join(folder, "t10k-images.idx3-ubyte"))).toBe(join(folder, "t10k-labels.idx1-ubyte"));
  });

  it("are asked for by name when they can't be found", async () => {
    const folder = await temporaryDirectory();
    const named = await failureWithCode("INPUT_MISSING", () => requireLabels(join(folder, "a-images-idx3-ubyte")));
    expect(named.problem).toContain("a-labels-idx1-ubyte and a-labels-idx1-ubyte.gz");
    expect(named.remedy).toContain("--labels");
    const other = await failureWithCode("INPUT_MISSING", () => requireLabels(join(folder, "pictures.bin")));
    expect(other.problem).toContain("can't be told from its name");
  });

  it("must be as many as the images, have one dimension, and not be taken for images", async () => {
    const images = await file(idxFile([4, 2, 3], BYTES));
    const five = await file(idxFile([5], [0, 1, 2, 3, 4]), "labels");
    const count = await failureWithCode("DATA_INVALID", () => openLabelledImages(images, five));
    expect(count).toMatchObject({ file: five, row: 5 });
    expect(count.problem).toContain("5 labels for the 4 images");
    const shape = await failureWithCode("DATA_INVALID", () => openLabelledImages(images, images));
    expect(shape.problem).toContain("3 dimensions");
    const swapped = await failureWithCode("DATA_INVALID", () => openLabelledImages(five, null));
    expect(swapped.problem).toContain("labels file");
    expect(swapped.remedy).toContain("--labels");
  });

  const mnist = realData("mnist/t10k-images-idx3-ubyte.gz");
  it.skipIf(mnist === null)("of MNIST's test set are as published (needs ../shared/data/mnist)", async () => {
    const path = mnist ?? "";
    const { images, labels } = await openLabelledImages(path, await requireLabels(path));
    await using imageSource = images;
    await using labelSource = labels;
    expect(imageSource).toMatchObject({ count: 10_000, shape: [28, 28] });
    const counts = new Array<number>(10).fill(0);
    for await (const { bytes } of labelSource?.items() ?? []) for (const label of bytes) counts[label]! += 1;
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    let rows = 0;
    for await (const { count } of imageSource.items()) rows += count;
    expect(rows).toBe(10_000);
  });
});
