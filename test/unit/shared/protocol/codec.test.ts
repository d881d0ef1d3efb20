import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, it } from "vitest";
import type { MeasuredChoice } from "../../../../shared/collective-choice.js";
import { GenerationSchema, JobIdSchema, RankSchema, WorkerIdSchema } from "../../../../shared/ids.js";
import type { JobSpec } from "../../../../shared/job-spec.js";
import { decodeFromCoordinator, decodeFromWorker, MessageEncoder } from "../../../../shared/protocol/codec.js";
import {
  type CoordinatorBody,
  FromCoordinatorSchema,
  FromWorkerSchema,
  PROTOCOL_VERSION,
  type WorkerBody,
} from "../../../../shared/protocol/control-message.js";
import type { TrainingPosition } from "../../../../shared/training-position.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const packr = new Packr({ useRecords: false });
const sha = (letter: string) => letter.repeat(64);
const job = { jobId: JobIdSchema.parse("job-1"), generation: GenerationSchema.parse(3) };
const SEGMENT = { path: "/proc/7/fd/21", sizeBytes: 4096, key: sha("e") };
const failure = { code: "USAGE", option: null, problem: "p", remedy: "r" } as const;
const figures = { trainLoss: 0.5, trainAccuracy: 0.25, trainMeanAbsoluteError: null };
const tests = { testLoss: null, testAccuracy: null, testMeanAbsoluteError: null };
const stepReport = {
  ...{ epoch: 1, step: 2, loss: 0.1, accuracy: null, totalRows: 9, replicas: [0, 1], rows: 5 },
  ...{ learningRate: 0.1, gradientNorm: 3.5, lossScale: 1024, skipped: true as const },
  ...{ computeMs: 1.5, communicationMs: 0.25, sentBytes: 100, receivedBytes: 200 },
};

const CHOICE: MeasuredChoice = {
  collective: "shm",
  payloadBytes: 1024,
  candidates: [
    { collective: "shm", latencyMs: 0.25, bandwidthBps: null, expectedMs: 0.5 },
    { collective: "ring", latencyMs: 0.5, bandwidthBps: 1e9, expectedMs: 1.5 },
  ],
};

const POSITION: TrainingPosition = {
  ...{ epoch: 2, step: 7 },
  progress: {
    sums: { lossSum: 1.5, correct: 3, absoluteErrorSum: 0.25, count: 9 },
    updates: { learningRate: 0.1, norms: 2, normSum: 3.5, skipped: 1, isScaled: true },
    ...{ stepMs: 12.5, communicationMs: 0.5 },
  },
};

const FROM_WORKER: { readonly [Kind in WorkerBody["kind"]]: Extract<WorkerBody, { kind: Kind }> } = {
  join: {
    ...{ kind: "join", token: "t", workerId: WorkerIdSchema.parse("w"), host: "h", pid: 7, nodeVersion: "v20" },
    engines: [{ name: "wasm", version: "1", instructionSet: "simd128", threads: 1, probeSha256: sha("a") }],
    memoryDomain: "here",
  },
  ready: { kind: "ready", ...job, ringEndpoint: "tcp://h:1", segment: SEGMENT, layoutHash: sha("b") },
  heartbeat: { kind: "heartbeat", progress: 9, phase: "compute", epoch: 1, step: 2 },
  collective: { kind: "collective", ...job, choice: CHOICE },
  steps: { kind: "steps", ...job, reports: [stepReport, { ...stepReport, step: 3 }] },
  epoch: {
    ...{ kind: "epoch", ...job },
    report: { epoch: 1, steps: 2, ...figures, ...tests, rows: 9, stepMs: 2, communicationMs: 1, learningRate: 0.1 },
  },
  blockHashes: { kind: "blockHashes", ...job, epochHashes: null, stepHashes: null },
  checkpoint: { kind: "checkpoint", ...job, position: POSITION, asked: true, totalBytes: 400 },
  checkpointPiece: { kind: "checkpointPiece", ...job, offsetBytes: 4, bytes: Buffer.from([1, 2]) },
  checkpointMissed: { kind: "checkpointMissed", ...job, epoch: 2, step: 7, asked: false, problem: "no memory" },
  fetchState: { kind: "fetchState", ...job, offsetBytes: 8, lengthBytes: 16 },
  weights: { kind: "weights", ...job, offsetBytes: 0, totalBytes: 4, bytes: Buffer.from([1, 2, 3, 4]) },
  finished: { kind: "finished", ...job, epochs: 1, steps: 2, weightsSha256: sha("c"), stateSha256: sha("d") },
  failed: { kind: "failed", ...job, failure },
  released: { kind: "released", ...job },
  leaving: { kind: "leaving", signal: "SIGTERM" },
  leave: { kind: "leave", signal: "SIGTERM" },
};

const SPEC: JobSpec = {
  ...{ jobId: job.jobId, seed: 1, replicas: 2, threads: 1, engine: "wasm", epochs: 3, batchSize: 4 },
  model: {
    inputs: 2,
    layers: [{ kind: "dense", name: "Out", units: 3, activation: "softmax", initialBias: 0 }],
    loss: "softmaxCrossEntropy",
    targets: { kind: "class", classes: 3 },
  },
  optimizer: { kind: "sgd", learningRate: 0.1 },
  stepRules: {
    accumulate: 4,
    clipNorm: 1.5,
    precision: "bfloat16",
    schedule: { kind: "cosine", final: 0.1 },
    mostStepsAhead: null,
    warmUpSteps: 5,
    payload: { format: "fp16", lossScale: { kind: "dynamic", first: 1024 } },
    rounds: { syncEvery: 4, outer: { learningRate: 0.7, momentum: 0.9 } },
  },
  lossThreshold: null,
  dataset: {
    train: { path: "/rows/train", rowCount: 9, features: 2, featureType: "float32", targetType: "class", targets: 1 },
    test: null,
    transform: { kind: "standardise", mean: [0, 1], deviation: [1, 2] },
    classNames: ["a", "b", "c"],
  },
  evaluateEvery: 1,
  blockHashes: "epoch",
};

const FROM_COORDINATOR: { readonly [Kind in CoordinatorBody["kind"]]: Extract<CoordinatorBody, { kind: Kind }> } = {
  welcome: { kind: "welcome", heartbeatIntervalMs: 500, coordinatorTimeoutMs: 30_000, comeBack: true },
  refused: { kind: "refused", failure },
  assign: {
    ...{
      kind: "assign",
      ...job,
      rank: RankSchema.parse(0),
      worldSize: 2,
      workersHere: 2,
      transport: "ipc",
      collectives: ["shm", "ring"],
      sharesMemory: { withPrevious: true, withNext: false },
      mpiMode: "ordered",
      encrypt: true,
    },
    ...{ spec: SPEC, faults: ["crash@rank=1,step=5"] },
    checkpoints: { everySteps: 10, everyEpochs: null, everyMs: 60_000.5 },
    resume: { position: POSITION, totalBytes: 400, stateSha256: sha("f") },
  },
  start: { kind: "start", ...job, ringEndpoints: ["ipc:///a", null], segments: [SEGMENT, null] },
  takeCheckpoint: { kind: "takeCheckpoint", ...job },
  checkpointReceived: { kind: "checkpointReceived", ...job, receivedBytes: 6 },
  state: { kind: "state", ...job, offsetBytes: 8, bytes: Buffer.from([3, 4]) },
  alive: { kind: "alive" },
  release: { kind: "release", ...job, failure },
  stop: { kind: "stop", failure: null },
};

/** Every finite number but −0, which MessagePack writes as 0. */
const FIGURES = fc.double({ noNaN: true, noDefaultInfinity: true }).map((figure) => figure + 0);

describe("round trips", () => {
  it.each(Object.values(FROM_WORKER))("$kind of a worker arrives as it was sent", (body) => {
    const message = decodeFromWorker(new MessageEncoder().encode(body), "worker w");
    expect(message).toEqual({ ...body, protocol: PROTOCOL_VERSION, sequence: 0 });
  });

  it.each(Object.values(FROM_COORDINATOR))("$kind of the coordinator arrives as it was sent", (body) => {
    const message = decodeFromCoordinator(new MessageEncoder().encode(body), "coordinator");
    expect(message).toEqual({ ...body, protocol: PROTOCOL_VERSION, sequence: 0 });
  });

  it("every kind of the protocol is tried above", () => {
    const kinds = (schema: typeof FromWorkerSchema | typeof FromCoordinatorSchema) =>
      schema.options.map((option) => option.shape.kind.value).sort();
    expect(Object.keys(FROM_WORKER).sort()).toEqual(kinds(FromWorkerSchema));
    expect(Object.keys(FROM_COORDINATOR).sort()).toEqual(kinds(FromCoordinatorSchema));
  });

  it("figures keep every bit, and weights every byte", () => {
    fc.assert(
      fc.property(FIGURES, fc.uint8Array({ maxLength: 100 }), (loss, bytes) => {
        const encoder = new MessageEncoder();
        const reports = [{ ...stepReport, loss }];
        expect(decodeFromWorker(encoder.encode({ ...FROM_WORKER.steps, reports }), "w")).toMatchObject({ reports });
        const weights = decodeFromWorker(encoder.encode({ ...FROM_WORKER.weights, bytes }), "w");
        expect(weights.kind === "weights" && [...weights.bytes]).toEqual([...bytes]);
      }),
    );
  });

  it("each end counts its own messages; life signs bear the count, and are not counted", () => {
    const encoder = new MessageEncoder();
    const { join, heartbeat, steps } = FROM_WORKER;
    const sequences = [join, heartbeat, heartbeat, steps, steps, heartbeat].map(
      (body) => decodeFromWorker(encoder.encode(body), "w").sequence,
    );
    expect(sequences).toEqual([0, 1, 1, 1, 2, 3]);
  });
});

describe("what can't be understood", () => {
  const refuse = (bytes: Uint8Array) =>
    failureWithCode("PROTOCOL_VIOLATION", () => decodeFromWorker(bytes, "worker w on h"));

  it.each([
    [new Uint8Array(), "0 bytes is not MessagePack"],
    [Buffer.from("GET / HTTP/1.1\r\n"), "not MessagePack"],
    [packr.pack(42), "no protocol version or kind"],
    [packr.pack(null), "no protocol version or kind"],
    [packr.pack({ kind: "join" }), "no protocol version or kind"],
  ])("%o is a violation by name", async (bytes, problem) => {
    const failure = await refuse(bytes);
    expect(failure.from).toBe("worker w on h");
    expect(failure.problem).toContain(problem);
  });

  it("another version is told with both versions and what to do, whatever its messages look like", async () => {
    const { problem } = await refuse(packr.pack({ protocol: PROTOCOL_VERSION + 1, kind: "hello", anything: true }));
    expect(problem).toBe(
      `it speaks protocol ${PROTOCOL_VERSION + 1}, this side ${PROTOCOL_VERSION}: install the same version of ringstrasse on all hosts`,
    );
  });

  it("an unknown kind and a wrong field are named", async () => {
    const header = { protocol: PROTOCOL_VERSION, sequence: 0 };
    expect((await refuse(packr.pack({ ...header, kind: "dance" }))).problem).toContain("dance");
    const { problem } = await refuse(packr.pack({ ...header, ...FROM_WORKER.heartbeat, phase: "asleep" }));
    expect(problem).toMatch(/message heartbeat does not have the agreed form \(phase: /);
    const deep = await refuse(packr.pack({ ...header, ...FROM_WORKER.steps, reports: [{ ...stepReport, rows: -1 }] }));
    expect(deep.problem).toContain("reports.0.rows");
  });

  it("a message of the other side is refused", async () => {
    expect((await refuse(new MessageEncoder().encode(FROM_COORDINATOR.alive))).problem).toContain("alive");
  });

  it("no bytes whatever do anything but decode or be refused by name", async () => {
    const good = Object.values(FROM_WORKER).map((body) => new MessageEncoder().encode(body));
    const damaged = fc
      .tuple(fc.constantFrom(...good), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat())
      .map(([bytes, at, value, length]) => {
        const copy = Uint8Array.from(bytes.subarray(0, 1 + (length % bytes.length)));
        copy[at % copy.length] = value;
        return copy;
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), async (bytes) => {
        try {
          const message = decodeFromWorker(bytes, "w");
          expect(FROM_WORKER).toHaveProperty(message.kind);
        } catch (thrown) {
          expect(await failureWithCode("PROTOCOL_VIOLATION", () => Promise.reject(thrown))).toHaveProperty("from", "w");
        }
      }),
      { numRuns: 500 },
    );
  });
});
