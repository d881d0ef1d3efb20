import { defineConfig } from "vitest/config";
import LongestFirst from "./test/support/longest-first.js";

/**
 * Of the integration tests, those that start one command after the other: much of each is the start of one process, so two files at a
 * time fill two cores. None of them depends on how long anything takes.
 */
const SIDE_BY_SIDE = [
  "asynchronous",
  "bad-data",
  "bad-document",
  "bad-options",
  "bad-surroundings",
  "bench-exchange",
  "bench-options",
  "coordinator/store/store-crash",
  "diff",
  "docs-commands",
  "doctor",
  "encrypt",
  "engine-choice",
  "engine-install",
  "evaluate",
  "hand-started-workers",
  "held-terminal",
  "hierarchical",
  "local-sgd",
  "model-files",
  "mpirun",
  "not-finite",
  "package-contents",
  "reference",
  "resume",
  "safetensors",
  "same-bits",
  "serve-security",
  "serve-strategies",
  "topk",
  "train-options",
  "step-rules",
  "work-division",
].map((name) => `test/integration/${name}.test.ts`);

/** Of the integration tests, those that say most in least time: for daily use. */
const QUICK = [
  "bad-document",
  "failures",
  "package-contents",
  "serve-security",
  "strangers",
  "work-division",
  "worker-threads",
].map((name) => `test/integration/${name}.test.ts`);

/** Of the conformance suites, those that take long, or need something installed: not for daily use. */
const LONG_CONFORMANCE = ["collective", "mpi-collective", "tensorflow-engine"].map(
  (name) => `test/conformance/${name}.test.ts`,
);

/** Unit tests that compute with TensorFlow.js, whose backend is one for all of a process: each file has a process of its own. */
const WITH_TENSORFLOW = ["shared/model-file/write-model", "worker/engine/**/*", "worker/predict/**/*"].map(
  (name) => `test/unit/${name}.test.ts`,
);

/** They overload the cores, or watch memory, themselves. */
const SOAKS = ["test/acceptance/*soak.test.ts"];

/** Of projects that start the compiled command one file at a time: such a test fills the cores of a small machine with its workers. */
const alone = {
  globalSetup: ["./test/support/build-before-tests.ts"],
  testTimeout: 180_000,
  hookTimeout: 60_000,
  fileParallelism: false,
};

/**
 * Projects, run in this order. The first two work on sources in one process each; the others start the compiled command. `conformance-quick`
 * and `quick` are parts of the conformance and integration tests, for `.ci/test --quick` alone.
 */
export default defineConfig({
  test: {
    pool: "forks",
    reporters: ["default", "./test/support/plain-line-reporter.ts"],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/tooling/**/*.test.ts"],
          exclude: WITH_TENSORFLOW,
          globalSetup: ["./test/support/build-before-tests.ts"],
          testTimeout: 30_000,
          // Modules are loaded once for all files of a process: loading took longer than testing. No test may leave anything behind in them.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "unit-tensorflow",
          include: WITH_TENSORFLOW,
          globalSetup: ["./test/support/build-before-tests.ts"],
          testTimeout: 30_000,
          sequence: { groupOrder: 1 },
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
      {
        test: {
          name: "conformance-quick",
          include: ["test/conformance/**/*.test.ts"],
          exclude: LONG_CONFORMANCE,
          globalSetup: ["./test/support/build-before-tests.ts"],
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...alone, name: "quick", include: QUICK, sequence: { groupOrder: 4 } } },
      {
        test: {
          ...alone,
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          // Each in namespaces of its own.
          fileParallelism: true,
          maxWorkers: 2,
          testTimeout: 600_000,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          ...alone,
          name: "acceptance",
          include: ["test/acceptance/**/*.test.ts"],
          exclude: SOAKS,
          fileParallelism: true,
          maxWorkers: 2,
          testTimeout: 900_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 5 },
        },
      },
      { test: { ...alone, name: "soak", include: SOAKS, testTimeout: 900_000, sequence: { groupOrder: 6 } } },
      {
        test: {
          ...alone,
          name: "node-versions",
          include: ["test/node-versions/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 7 },
        },
      },
    ],
  },
});
