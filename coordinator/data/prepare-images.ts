import { join } from "node:path";
import { quoted } from "../../shared/data/csv-number.js";
import { dataInvalid } from "../../shared/data/data-failure.js";
import type { RowFileSpec } from "../../shared/data/dataset-spec.js";
import type { IdxSource } from "../../shared/data/idx-source.js";
import { openLabelledImages } from "../../shared/data/labelled-images.js";
import { LabelCollector } from "./class-labels.js";
import type { DataSources, Source } from "./data-sources.js";
import type { PreparedRows } from "./dataset-cache.js";
import { assertClassCount, assertImagesFit, type NetworkShape } from "./dataset-fit.js";
import { ROW_FILES, writeRows, writeSplit } from "./distribute-rows.js";
import { chooseHeldOut, type SplitRequest } from "./held-out.js";
import type { FileFacts } from "./row-file-writer.js";

/** Bytes are from 0 to 255; images are not standardised. */
const DIVISOR = 255;

/**
 * Prepares IDX images: rows of bytes, divided by 255 when they are used. The labels are read first, so the images need one pass.
 * @throws as prepareDataset
 */
export async function prepareImages(
  request: NetworkShape & SplitRequest,
  sources: DataSources,
  folder: string,
): Promise<PreparedRows> {
  const { train, test, contentSha256 } = sources;
  const { images, collector } = await openImages(train, request);
  await using trainImages = images;
  const classes = collector.finish();
  assertClassCount(classes.names, request, train.labelsPath ?? train.path);
  const split = { ...request, file: train.path, rowCount: images.count, classes, hasTestData: test !== null };
  const { heldOut, warnings } = chooseHeldOut(split);

  const written = await writeSplit(folder, trainImages.items(), { heldOut, labels: classes.labels, statistics: null });
  if (test !== null) written.test = await writeTestImages(test, request, classes.names, folder);

  const spec = (path: string, { rowCount }: FileFacts): RowFileSpec => {
    return { path, rowCount, features: images.itemSize, featureType: "uint8", targetType: "class", targets: 1 };
  };
  const dataset = {
    train: spec(ROW_FILES.train, written.train),
    test: written.test === null ? null : spec(ROW_FILES.test, written.test),
    transform: { kind: "scale" as const, divisor: DIVISOR },
    classNames: classes.names,
  };
  const files = {
    [ROW_FILES.train]: written.train,
    ...(written.test === null ? {} : { [ROW_FILES.test]: written.test }),
  };
  const idle =
    request.labelIndex === null
      ? []
      : ["labelIndex names a column of a table; images have their labels in a file of their own"];
  return { dataset, contentSha256, labelColumn: null, featureNames: null, warnings: [...warnings, ...idle], files };
}

async function openImages(
  source: Source,
  request: NetworkShape & SplitRequest,
): Promise<{ images: IdxSource; collector: LabelCollector }> {
  const { images, labels } = await openLabelledImages(source.path, source.labelsPath, request.signal);
  const collector = new LabelCollector();
  try {
    await using labelSource = labels;
    assertImagesFit(images.shape, request, source.path);
    if (labelSource === null) throw new RangeError(`no labels were found for ${source.path}`);
    for await (const { bytes } of labelSource.items()) for (const label of bytes) collector.add(String(label));
    return { images, collector };
  } catch (cause) {
    await images[Symbol.asyncDispose]();
    throw cause;
  }
}

async function writeTestImages(
  source: Source,
  request: NetworkShape & SplitRequest,
  names: readonly string[],
  folder: string,
): Promise<FileFacts> {
  const { images, collector } = await openImages(source, request);
  await using testImages = images;
  const found = collector.finish();
  const numbers = found.names.map((name) => names.indexOf(name));
  const labels = found.labels.map((label) => numbers[label] ?? -1);
  const unknown = found.labels.findIndex((label) => numbers[label] === -1);
  if (unknown !== -1) {
    const label = quoted(found.names[found.labels[unknown] ?? 0] ?? "");
    const place = { file: source.labelsPath ?? source.path, row: unknown + 1 };
    const problem = `the label ${label} is none of the training data's classes`;
    throw dataInvalid(place, problem, "Give training images of that class, or leave those images out");
  }
  return await writeRows(join(folder, ROW_FILES.test), testImages.items(), labels);
}
