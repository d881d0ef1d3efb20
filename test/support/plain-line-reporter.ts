import process from "node:process";
import type { Reporter, TestCase, TestModule } from "vitest/node";

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  durationMs: number;
}

const SLOWEST_FILES = 30;

/**
 * Ends a run with what a person or a script wants to know: each project's figures and duration, the files that took longest (which
 * is where to begin when a run gets too long), the skipped tests by name, and as the last line `N passed, N failed, N skipped` over all projects. A run in which no test ran is a failure.
 */
export default class PlainLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tallies = new Map<string, Tally>();
    const skipped: string[] = [];
    const total: Tally = { passed: 0, failed: unhandledErrors.length, skipped: 0, durationMs: 0 };
    for (const module of modules) {
      const tally = tallies.get(module.project.name) ?? { passed: 0, failed: 0, skipped: 0, durationMs: 0 };
      tallies.set(module.project.name, tally);
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const state = outcomeOf(test);
        tally[state]++;
        if (state === "skipped") skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
      // Files that can't be loaded and groups whose hooks throw have errors of their own, and their tests count as skipped.
      for (const group of [module, ...module.children.allSuites()]) if (group.errors().length > 0) tally.failed++;
      tally.durationMs += module.diagnostic().duration;
    }
    const lines: string[] = [""];
    for (const [project, tally] of tallies) {
      lines.push(`${project}: ${describe(tally)} (${(tally.durationMs / 1000).toFixed(1)} s of tests)`);
      total.passed += tally.passed;
      total.failed += tally.failed;
      total.skipped += tally.skipped;
    }
    lines.push(...slowest(modules), "");
    for (const name of skipped) lines.push(`skipped: ${name}`);
    if (total.passed + total.failed === 0) {
      process.exitCode = 1;
      lines.push("No test ran");
    }
    lines.push(describe(total));
    process.stdout.write(`${lines.join("\n")}\n`);
  }
}

function outcomeOf(test: TestCase): "passed" | "failed" | "skipped" {
  const { state } = test.result();
  // A test that never got to run (its file or its hooks broke first) has not passed.
  return state === "pending" ? "failed" : state;
}

function slowest(modules: readonly TestModule[]): string[] {
  const files = modules.map((module) => ({ path: module.relativeModuleId, durationMs: module.diagnostic().duration }));
  files.sort((a, b) => b.durationMs - a.durationMs);
  return files.slice(0, SLOWEST_FILES).map(({ path, durationMs }) => `${(durationMs / 1000).toFixed(1)} s: ${path}`);
}

function describe(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`;
}
