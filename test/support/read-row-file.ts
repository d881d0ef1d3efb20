import { readFileSync } from "node:fs";
import { type RowFileSpec, rowSizeBytes } from "../../shared/data/dataset-spec.js";

/** All rows of a row file as the format's description has them, read independently of the product's reader. */
export function readRowFile(file: RowFileSpec): { features: number[]; targets: number[] }[] {
  const bytes = readFileSync(file.path);
  const size = rowSizeBytes(file);
  if (bytes.length !== size * file.rowCount) throw new Error(`${file.path} has ${bytes.length} bytes`);
  return Array.from({ length: file.rowCount }, (_, row) => {
    let at = row * size;
    const features = Array.from({ length: file.features }, () => {
      const value = file.featureType === "uint8" ? bytes.readUInt8(at) : bytes.readFloatLE(at);
      at += file.featureType === "uint8" ? 1 : 4;
      return value;
    });
    const targets = Array.from({ length: file.targets }, () => {
      const value = file.targetType === "class" ? bytes.readUInt32LE(at) : bytes.readFloatLE(at);
      at += 4;
      return value;
    });
    return { features, targets };
  });
}
