import { describe, expect, it, onTestFinished, vi } from "vitest";
import { describeConfiguration } from "../../../../coordinator/cli/describe-configuration.js";
import { createProgress } from "../../../../coordinator/cli/progress.js";
import { TextSink } from "../../../support/text-sink.js";
import { epochEvent, finishedEvent, startedEvent, stepEvent } from "../../../support/train-events.js";

describe("createProgress", () => {
  const workers = [{ rank: 0, host: "node1", pid: 1, replicas: [0] }];
  const reason = "2 workers; engine wasm, the fastest that all workers have; tensorflow: node2 lacks it";

  it.each([
    [true, "auto", 1],
    [true, "wasm", 0],
    [false, "auto", 1],
    [false, "wasm", 0],
  ])(
    "on a terminal (%s) with the engine %s: which one the workers come to is told %i times",
    (isTTY, engine, times) => {
      const sink = new TextSink(isTTY);
      const progress = createProgress(sink);
      progress.handle(startedEvent({ configuration: { engine } }));
      progress.handle({ event: "generation", generation: 1, workers, reason });
      progress.handle(epochEvent(1));
      progress.stop();
      expect(sink.text.split(`workers: ${reason}\n`)).toHaveLength(times + 1);
    },
  );
});

describe("createProgress without a terminal", () => {
  it("writes whole lines: what starts, then figures of each epoch with the time left", () => {
    const sink = new TextSink();
    const progress = createProgress(sink);
    progress.handle(startedEvent());
    progress.handle(stepEvent(1, 1));
    for (const epoch of [1, 2, 3]) progress.handle(epochEvent(epoch));
    progress.handle(finishedEvent());
    progress.stop();
    const head = describeConfiguration(startedEvent());
    expect(sink.text.split("\n")).toEqual([
      ...head,
      "epoch 1/3, loss 1.000, accuracy 75.00 %, test loss 0.6250, test accuracy 50.00 %, 12,346 samples/s, ETA 2.0 s",
      "epoch 2/3, loss 0.5000, accuracy 75.00 %, test loss 0.6250, test accuracy 50.00 %, 12,346 samples/s, ETA 1.0 s",
      "epoch 3/3, loss 0.3333, accuracy 75.00 %, test loss 0.6250, test accuracy 50.00 %, 12,346 samples/s",
      "",
    ]);
  });

  it.each([1, 19, 20, 21, 500, 100_000])("writes at most 20 lines for %i epochs, the last one among them", (epochs) => {
    const sink = new TextSink();
    const progress = createProgress(sink);
    progress.handle(startedEvent({ epochs }));
    for (let epoch = 1; epoch <= epochs; epoch++) progress.handle(epochEvent(epoch, { epochs }));
    const lines = sink.text.split("\n").filter((line) => line.startsWith("epoch "));
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(lines.at(-1)).toContain(`epoch ${epochs}/${epochs}`);
  });

  it("leaves out what was not measured, and passes warnings on", () => {
    const sink = new TextSink();
    const progress = createProgress(sink);
    progress.handle({ event: "warning", message: "no test rows" });
    const figures = {
      trainAccuracy: null,
      trainMeanAbsoluteError: 0.125,
      testLoss: null,
      testAccuracy: null,
      epochs: 1,
    };
    progress.handle(epochEvent(1, figures));
    expect(sink.text).toBe("warning: no test rows\nepoch 1/1, loss 1.000, error 0.1250, 12,346 samples/s\n");
  });
});

describe("createProgress on a terminal", () => {
  it("draws a bar with epoch, step, loss, accuracy, speed and time left, and leaves it complete", () => {
    const sink = new TextSink(true);
    const progress = createProgress(sink);
    progress.handle(startedEvent());
    for (const epoch of [1, 2, 3]) {
      progress.handle(stepEvent(epoch, 2 * epoch - 1));
      progress.handle(stepEvent(epoch, 2 * epoch));
      progress.handle(epochEvent(epoch));
    }
    progress.handle(finishedEvent());
    const length = sink.text.length;
    progress.stop();
    expect(sink.text.length).toBe(length);
    expect(sink.text).toContain("█");
    expect(sink.text).toMatch(
      /100% ETA 0s, loss 0\.3333, accuracy 75\.00 %, 12,346 samples\/s, epoch 3\/3, test 50\.00 %/,
    );
    // The cursor comes back.
    expect(sink.text).toContain("\u001b[?25h");
  });

  it("moves with the steps", () => {
    const sink = new TextSink(true);
    const progress = createProgress(sink);
    progress.handle(startedEvent());
    progress.handle(stepEvent(2, 3));
    progress.stop();
    expect(sink.text).toMatch(/50% ETA \S+, loss 0\.3333, accuracy 50\.00 %, epoch 2\/3/);
  });

  it("gives a warning a line of its own and goes on", () => {
    const sink = new TextSink(true);
    const progress = createProgress(sink);
    progress.handle(startedEvent());
    progress.handle(stepEvent(2, 3));
    progress.handle({ event: "warning", message: "a worker is slow" });
    progress.handle(stepEvent(3, 6));
    progress.stop();
    expect(sink.text).toMatch(/\nwarning: a worker is slow\n/);
    expect(sink.text).toMatch(/slow\n[\s\S]*100% ETA \S+, loss 0\.1667, accuracy 50\.00 %, epoch 3\/3/);
  });

  const warning = { event: "warning", message: "a checkpoint was not written" } as const;
  const resumed = { event: "resumed", epoch: 90, step: 90_000, file: "F", stateSha256: "a".repeat(64) } as const;

  it.each([
    ["a resumed run", [resumed]],
    ["one that has warned", [stepEvent(90, 90_000), warning]],
    ["one that has done both", [resumed, warning]],
  ])("tells the time left by the pace of the steps that were done: %s", (_, before) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const sink = new TextSink(true);
    const progress = createProgress(sink);
    progress.handle(startedEvent({ epochs: 100, stepsPerEpoch: 1000 }));
    for (const event of before) progress.handle(event);
    const started = sink.text.length;
    for (const step of [90_001, 90_002, 90_003]) {
      vi.advanceTimersByTime(10_000);
      progress.handle(stepEvent(91, step));
    }
    progress.stop();
    const times = [...sink.text.slice(started).matchAll(/90% ETA (\S+), /g)].map(([, time]) => time);
    // 9,999 to 9,997 steps of 10 s.
    expect(new Set(times)).toEqual(new Set(["27h45m"]));
  });

  it("ends the bar when the job fails, and is quiet when nothing ever started", () => {
    const sink = new TextSink(true);
    const progress = createProgress(sink);
    progress.stop();
    expect(sink.text).toBe("");
    progress.handle(startedEvent());
    progress.handle({ event: "failed", status: "ERROR", code: "INTERNAL", message: "", rank: null, host: null });
    expect(sink.text.endsWith("\u001b[?25h\n") || sink.text.endsWith("\n\u001b[?25h") || sink.text.endsWith("\n")).toBe(
      true,
    );
  });
});
