/** Whether images of a file are those of `[height, width, channels]`; one channel is often not written. Pure. @param shape of one image */
export function isImageShape(shape: readonly number[], image: readonly [number, number, number]): boolean {
  return withoutOne(shape) === withoutOne(image);
}

function withoutOne(sides: readonly number[]): string {
  return sides.filter((side, axis) => axis < 2 || side !== 1).join(" × ");
}
