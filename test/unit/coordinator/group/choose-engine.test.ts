import { describe, expect, it } from "vitest";
import { chooseEngine, type EngineDecision } from "../../../../coordinator/group/choose-engine.js";
import { describeFailure } from "../../../../shared/describe-failure.js";
import { exitCodeOf } from "../../../../shared/failure.js";
import type { EngineFacts } from "../../../../shared/protocol/control-message.js";
import { ENGINE, joinMessage } from "../../../support/control-client.js";

const TENSORFLOW: EngineFacts = {
  ...ENGINE,
  name: "tensorflow",
  version: "TensorFlow 2.18.1",
  instructionSet: "avx2/x64",
};
const GPU: EngineFacts = { ...TENSORFLOW, name: "tensorflow-gpu" };

function joins(...engines: (readonly EngineFacts[])[]) {
  return engines.map((offered, index) => {
    const join = joinMessage(`w${index}`, { token: "t", host: `h${index}`, engines: offered });
    return { ...join, protocol: 2, sequence: 0 };
  });
}

function failureOf(decision: EngineDecision) {
  if (decision.kind === "chosen") throw new Error(`${decision.engine.name} was chosen`);
  return decision.failure;
}

describe("chooseEngine", () => {
  it("auto: the fastest that all have, and says what it passed over", () => {
    const auto = { engine: "auto", threads: 1, precision: "float32" } as const;
    const all = [GPU, TENSORFLOW, ENGINE];
    expect(chooseEngine(auto, joins(all, all))).toMatchObject({
      engine: GPU,
      reason: "the fastest that all workers have",
    });
    expect(chooseEngine(auto, joins(all, [TENSORFLOW, ENGINE]))).toMatchObject({
      engine: TENSORFLOW,
      reason: "the fastest that all workers have; tensorflow-gpu: not on all workers",
    });
    expect(chooseEngine(auto, joins(all, [ENGINE]))).toMatchObject({ engine: ENGINE });
  });

  it("auto: an engine that is not alike on all hosts is passed over, with what differs", () => {
    const other = { ...TENSORFLOW, instructionSet: "avx512f/x64" };
    const decision = chooseEngine(
      { engine: "auto", threads: 1, precision: "float32" },
      joins([TENSORFLOW, ENGINE], [other, ENGINE]),
    );
    expect(decision).toMatchObject({ kind: "chosen", engine: ENGINE });
    expect(decision).toMatchObject({
      reason: expect.stringContaining("tensorflow: not alike on all hosts (the instruction set)"),
    });
  });

  it("auto: with nothing in common, the mixture is refused by name", () => {
    const other = { ...ENGINE, version: "2" };
    const failure = failureOf(
      chooseEngine({ engine: "auto", threads: 1, precision: "float32" }, joins([ENGINE], [other])),
    );
    expect(failure).toMatchObject({ code: "WORKER_REFUSED", workerId: "w1", what: "the engine's version", got: "2" });
    const nothing = failureOf(
      chooseEngine({ engine: "auto", threads: 1, precision: "float32" }, joins([ENGINE], [TENSORFLOW])),
    );
    expect(nothing).toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  });

  it("by name: whoever has it not is named, with its host and the command that installs it", () => {
    const failure = failureOf(
      chooseEngine({ engine: "tensorflow", threads: 1, precision: "float32" }, joins([TENSORFLOW], [ENGINE])),
    );
    expect(failure).toEqual({
      code: "ENGINE_UNAVAILABLE",
      engine: "tensorflow",
      problem: "worker w1 on h1 has not got tensorflow with 1 thread, but wasm with 1 thread",
      remedy: "On h1 run: ringstrasse engine install cpu; and start the worker with --engine tensorflow",
    });
    expect(exitCodeOf(failure.code)).toBe(4);
  });

  it.each([
    ["the engine's version", { version: "TensorFlow 2.9.1" }],
    ["the instruction set", { instructionSet: "avx/x64" }],
    ["the result of the probe computation", { probeSha256: "f".repeat(64) }],
  ])("by name: another %s is refused", (what, change) => {
    const both = joins([TENSORFLOW], [{ ...TENSORFLOW, ...change }]);
    const failure = failureOf(chooseEngine({ engine: "tensorflow", threads: 1, precision: "float32" }, both));
    expect(failure).toMatchObject({ code: "WORKER_REFUSED", workerId: "w1", host: "h1", what });
  });

  it("threads belong to the engine: a worker with others is told how to start", () => {
    const two = { ...TENSORFLOW, threads: 2 };
    expect(chooseEngine({ engine: "tensorflow", threads: 2, precision: "float32" }, joins([two], [two]))).toMatchObject(
      { engine: two },
    );
    const failure = failureOf(
      chooseEngine({ engine: "tensorflow", threads: 2, precision: "float32" }, joins([two], [TENSORFLOW])),
    );
    expect(describeFailure(failure)).toMatch(
      /w1 on h1 has not got tensorflow with 2 threads, but tensorflow with 1 thread/,
    );
    expect(describeFailure(failure)).toMatch(/On h1 start the worker with --engine tensorflow --threads 2/);
    const auto = failureOf(
      chooseEngine({ engine: "auto", threads: 2, precision: "float32" }, joins([TENSORFLOW, ENGINE])),
    );
    expect(describeFailure(auto)).toMatch(/no engine with 2 threads.+--threads 2, or leave --threads out/);
  });

  it("auto passes over what lacks the precision, and says so where nothing else is", () => {
    const mixed = { engine: "auto", threads: 1, precision: "bfloat16" } as const;
    expect(chooseEngine(mixed, joins([TENSORFLOW, ENGINE], [TENSORFLOW, ENGINE]))).toMatchObject({
      engine: TENSORFLOW,
    });
    const unsupported = { code: "CHOICE_UNSUPPORTED", value: "bfloat16", supported: ["float32"] };
    expect(failureOf(chooseEngine(mixed, joins([ENGINE], [ENGINE])))).toMatchObject(unsupported);
    expect(failureOf(chooseEngine({ ...mixed, engine: "wasm" }, joins([ENGINE])))).toMatchObject(unsupported);
    // Where others could: who can't is named.
    expect(failureOf(chooseEngine(mixed, joins([TENSORFLOW, ENGINE], [ENGINE])))).toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      engine: "tensorflow",
      problem: expect.stringContaining("worker w1 on h1"),
    });
    const other = { ...TENSORFLOW, instructionSet: "avx512f/x64" };
    expect(failureOf(chooseEngine(mixed, joins([TENSORFLOW, ENGINE], [other, ENGINE])))).toMatchObject({
      code: "WORKER_REFUSED",
      what: "the instruction set",
    });
  });
});
