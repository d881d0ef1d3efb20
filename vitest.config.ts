import { defineConfig } from "vitest/config";

/**
 * Five projects, run in this order. The first two work on sources in one process each; the others start the compiled command,
 * one file at a time: every such test already fills the cores of a small machine with its own workers.
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
          globalSetup: ["./test/support/build-before-tests.ts"],
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["./test/support/build-before-tests.ts"],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "acceptance",
          include: ["test/acceptance/**/*.test.ts"],
          globalSetup: ["./test/support/build-before-tests.ts"],
          testTimeout: 900_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "node-versions",
          include: ["test/node-versions/**/*.test.ts"],
          globalSetup: ["./test/support/build-before-tests.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
