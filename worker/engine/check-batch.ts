import type { MicroBatch } from "./engine.js";

/** @throws RangeError when `x` is not `count` rows of `inputs`. */
export function checkRows(x: Float32Array, count: number, inputs: number): void {
  if (x.length < count * inputs) throw new RangeError(`${x.length} floats are no ${count} rows of ${inputs}`);
}

/** @throws RangeError when there are too few targets, or a class that the network has no output for. */
export function checkTargets({ targets, count }: MicroBatch, outputs: number): void {
  if (targets.kind === "values") {
    if (targets.values.length >= count * outputs) return;
    throw new RangeError(`${targets.values.length} target values are no ${count} rows of ${outputs}`);
  }
  const classes = Math.max(outputs, 2);
  for (let row = 0; row < count; row++) {
    const label = targets.classes[row];
    if (label === undefined || label >= classes) {
      throw new RangeError(`row ${row} of the micro-batch has class ${label}, the network has ${outputs} outputs`);
    }
  }
}
