import { defineConfig } from "vitest/config";

/**
 * Of the integration tests, those that start one command after the other: much of each is the start of one process, so two files at a
 * time fill two cores. None of them depends on how long anything takes.
 */
const SIDE_BY_SIDE = [
  "bad-data",
  "bad-document",
  "bad-options",
  "bad-surroundings",
  "diff",
  "engine-choice",
  "engine-install",
  "evaluate",
  "hand-started-workers",
  "model-files",
  "not-finite",
  "package-contents",
  "reference",
  "safetensors",
  "same-bits",
  "train-options",
  "step-rules",
  "work-division",
].map((name) => `test/integration/${name}.test.ts`);

/** Of the integration tests, those that say most in least time: one for each of the promises. For daily use. */
const QUICK = [
  "bad-document",
  "diff",
  "docs-commands",
  "failures",
  "package-contents",
  "same-bits",
  "serve",
  "strangers",
  "step-rules",
  "work-division",
  "worker-threads",
].map((name) => `test/integration/${name}.test.ts`);

/** Of projects that start the compiled command one file at a time: such a test fills the cores of a small machine with its workers. */
const alone = {
  globalSetup: ["./test/support/build-before-tests.ts"],
  testTimeout: 180_000,
  hookTimeout: 60_000,
  fileParallelism: false,
};

/**
 * Projects, run in this order. The first two work on sources in one process each; the others start the compiled command. `quick` is a
 * part of the integration tests, for `.ci/test --quick` alone.
 */
export default defineConfig({
  test: {
    pool: "forks",
    reporters: ["default", "./test/support/plain-line-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/property/**/*.test.ts", "test/tooling/**/*.test.ts"],
          globalSetup: ["./test/support/build-before-tests.ts"],
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          globalSetup: ["./test/support/build-before-tests.ts", "./test/support/install-engine-before-tests.ts"],
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...alone,
          name: "commands",
          include: SIDE_BY_SIDE,
          fileParallelism: true,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...alone,
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          exclude: SIDE_BY_SIDE,
          sequence: { groupOrder: 3 },
        },
      },
      { test: { ...alone, name: "quick", include: QUICK, sequence: { groupOrder: 4 } } },
      {
        test: {
          ...alone,
          name: "acceptance",
          include: ["test/acceptance/**/*.test.ts"],
          testTimeout: 900_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 5 },
        },
      },
      {
        test: {
          ...alone,
          name: "node-versions",
          include: ["test/node-versions/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 6 },
        },
      },
    ],
  },
});
