import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GenerationSchema, JobIdSchema } from "../../../../shared/ids.js";
import type { WorkerBody } from "../../../../shared/protocol/control-message.js";
import { ReplicaStates } from "../../../../worker/train/replica-states.js";
import type { TrainedStep } from "../../../../worker/train/train-step.js";
import type { TrainingContext } from "../../../../worker/train/training-context.js";
import { TrainingReporter } from "../../../../worker/train/training-reporter.js";

const JOB = { jobId: JobIdSchema.parse("j"), generation: GenerationSchema.parse(1) };

function trained(step: number): TrainedStep {
  const totals = { lossSum: 1, correct: 0, absoluteErrorSum: 0, count: 1 };
  const times = { elapsedMs: 1, communicationMs: 0, sentBytes: 0, receivedBytes: 0 };
  const outcome = { totals, update: { learningRate: 0.1 }, localRows: 1, ...times, hashes: null };
  return { id: { epoch: 1, step }, outcome };
}

/** A reporter of a worker that takes no checkpoints itself, and the steps of each message that it has sent. Only what it looks at. */
function reporter(): { reporter: TrainingReporter; states: ReplicaStates; sent: number[][] } {
  const states = new ReplicaStates([{ replica: 1, index: 0 }]);
  const spec = { model: { targets: { kind: "class", classes: 2 } }, replicas: 2 };
  const parts = { rank: 1, spec, localReplicas: [1], replicaStates: states, arenas: { replicaState: [[]] } };
  const sent: number[][] = [];
  const send = (body: WorkerBody): void => {
    if (body.kind === "steps") sent.push(body.reports.map(({ step }) => step));
  };
  const context = parts as unknown as TrainingContext;
  return { reporter: new TrainingReporter(context, JOB, send, { checkpointer: null }), states, sent };
}

describe("TrainingReporter", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("tells a slow round's steps when it ends, all of them", () => {
    const { reporter: told, sent } = reporter();
    told.onSteps([trained(1), trained(2)]);
    vi.advanceTimersByTime(150);
    told.onSteps([trained(3), trained(4), trained(5)]);
    expect(sent).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
  });

  it("tells what it has kept before a time without steps, and where all help with a checkpoint", async () => {
    const { reporter: told, states, sent } = reporter();
    told.onSteps([trained(1)]);
    told.onSteps([trained(2)]);
    await told.onBoundary({ epoch: 1, step: 2 }, null);
    expect(sent).toEqual([[1]]);
    told.onPause();
    expect(sent).toEqual([[1], [2]]);
    told.onSteps([trained(3)]);
    states.count(Float64Array.of(1));
    await told.onBoundary({ epoch: 1, step: 3 }, null);
    expect(sent).toEqual([[1], [2], [3]]);
  });
});
