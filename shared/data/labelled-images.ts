import { access } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { dataInvalid, inputMissing } from "./data-failure.js";
import { IdxSource } from "./idx-source.js";

/** `train-images-idx3-ubyte`, `t10k-images.idx3-ubyte.gz`, … */
const IMAGES_NAME = /images([-.])idx\d+-ubyte(\.gz)?$/;

/**
 * The labels file that belongs to an images file by MNIST's naming: `*-images-idx3-ubyte[.gz]` has `*-labels-idx1-ubyte[.gz]` beside
 * it, each packed or not. Null when there is none.
 */
export async function findLabels(imagesPath: string): Promise<string | null> {
  for (const candidate of labelsCandidates(imagesPath)) {
    if (await exists(candidate)) return candidate;
  }
  return null;
}

/** Like {@link findLabels}. @throws RingstrasseError INPUT_MISSING, saying which names were looked for */
export async function requireLabels(imagesPath: string): Promise<string> {
  const found = await findLabels(imagesPath);
  if (found !== null) return found;
  const candidates = labelsCandidates(imagesPath).map((path) => basename(path));
  const problem =
    candidates.length === 0
      ? "its labels file can't be told from its name, which is not like train-images-idx3-ubyte.gz"
      : `there is no labels file beside it (looked for ${candidates.join(" and ")})`;
  throw inputMissing(imagesPath, problem, "Name the labels file with --labels PATH");
}

/**
 * Opens images and, if given, their labels, and checks that they fit each other. The caller disposes of both.
 * @throws RingstrasseError INPUT_MISSING, DATA_INVALID: either is no IDX file, the wrong kind, or their counts differ
 */
export async function openLabelledImages(
  imagesPath: string,
  labelsPath: string | null,
  signal?: AbortSignal,
): Promise<{ images: IdxSource; labels: IdxSource | null }> {
  const images = await IdxSource.open(imagesPath, signal);
  try {
    if (images.shape.length === 0) {
      const problem = "it is a labels file (one dimension), where images belong";
      throw dataInvalid({ file: imagesPath }, problem, "Name the images file, and the labels file with --labels");
    }
    const labels = labelsPath === null ? null : await openLabels(labelsPath, images, signal);
    return { images, labels };
  } catch (cause) {
    await images[Symbol.asyncDispose]();
    throw cause;
  }
}

async function openLabels(path: string, images: IdxSource, signal: AbortSignal | undefined): Promise<IdxSource> {
  const labels = await IdxSource.open(path, signal);
  if (labels.shape.length === 0 && labels.count === images.count) return labels;
  await labels[Symbol.asyncDispose]();
  if (labels.shape.length > 0) {
    const problem = `it has ${labels.shape.length + 1} dimensions, where labels have one`;
    throw dataInvalid({ file: path }, problem, "Name the labels file that belongs to the images");
  }
  const row = Math.min(labels.count, images.count) + 1;
  const problem = `it holds ${labels.count} labels for the ${images.count} images of ${images.path}`;
  throw dataInvalid({ file: path, row }, problem, "Name the labels file that belongs to the images");
}

/** Where the labels of an images file may be, by MNIST's naming; the likeliest first, empty when the name tells nothing. */
export function labelsCandidates(imagesPath: string): string[] {
  const match = IMAGES_NAME.exec(basename(imagesPath));
  if (match === null) return [];
  const stem = basename(imagesPath).slice(0, match.index);
  const name = `${stem}labels${match[1]}idx1-ubyte`;
  const packedFirst = match[2] !== undefined;
  const names = packedFirst ? [`${name}.gz`, name] : [name, `${name}.gz`];
  return names.map((candidate) => join(dirname(imagesPath), candidate));
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
