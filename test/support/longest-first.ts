import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Files that take longest where two run side by side. Begun last, each would keep one core busy alone while the other has nothing left; a
 * fresh clone has no record of earlier runs to know that from.
 */
const LONG = [
  "cluster/docker",
  "cluster/slurm",
  "integration/same-bits",
  "integration/step-rules",
  "acceptance/mutated-documents",
].map((name) => `/test/${name}.test.ts`);

/** The order of vitest itself, but the longest files first. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.some((name) => moduleId.endsWith(name));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
