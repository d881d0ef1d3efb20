import type { TrainingRun } from "../../coordinator/job/training-run.js";
import { writeTrainedModel } from "../../coordinator/job/write-trained-model.js";
import { writeResult } from "../../coordinator/output/write-result.js";
import type { RunSurroundings, TrainedRun, TrainingGround } from "../../coordinator/service/training-ground.js";
import type { WorkersWanted } from "../../coordinator/store/job-record.js";
import type { ClusterWorker } from "../../shared/api/cluster.js";
import { arenaLayout } from "../../shared/arena-layout.js";
import { type Deferred, deferred } from "../../shared/deferred.js";
import type { EngineName, EngineWish } from "../../shared/engine-name.js";
import { type Failure, RingstrasseError } from "../../shared/failure.js";
import { sha256 } from "../../shared/model-file/sha256.js";
import { parametersOf } from "../../shared/model-spec.js";
import type { EpochEvent, FinishedEvent, StepEvent, TrainEvent } from "../../shared/train-events.js";

/** A run on a {@link ScriptedGround}: the test says what happens in it. */
export class ScriptedRun {
  readonly run: TrainingRun;
  readonly signal: AbortSignal;
  readonly emit: (event: TrainEvent) => void;
  readonly #end: Deferred<"finish">;
  readonly #epochs: EpochEvent[] = [];
  #save: () => Promise<unknown> = () => Promise.resolve();
  #steps = 0;

  constructor(run: TrainingRun, { emit, signal }: RunSurroundings, end: Deferred<"finish">) {
    this.run = run;
    this.signal = signal;
    this.emit = emit;
    this.#end = end;
  }

  get id(): string {
    return this.run.spec.jobId;
  }

  get epochs(): readonly EpochEvent[] {
    return this.#epochs;
  }

  get steps(): number {
    return this.#steps;
  }

  start(): void {
    const { spec, policy, configuration } = this.run;
    const { epochs, replicas, jobId } = spec;
    const { workers } = policy;
    const rows = { stepsPerEpoch: 2, trainRows: 10, testRows: 2 };
    this.emit({ event: "started", jobId, epochs, ...rows, workers, replicas, configuration });
    const members = [{ rank: 0, host: "here", pid: 7, replicas: [0] }];
    this.emit({ event: "generation", generation: 1, workers: members, reason: "start" });
  }

  step(count = 1): void {
    for (let index = 0; index < count; index++) this.emit(stepEvent(++this.#steps));
  }

  epoch(): void {
    const event = epochEvent(this.#epochs.length + 1, this.run.spec.epochs, this.#steps);
    this.#epochs.push(event);
    this.emit(event);
  }

  /** Ends well: model and result are written as a real run does. */
  finish(): void {
    if (this.#epochs.length === 0) this.epoch();
    this.#end.resolve("finish");
  }

  /** Has the run save its state so when it is told to end. */
  onStop(save: () => Promise<unknown>): void {
    this.#save = save;
  }

  async saveState(): Promise<void> {
    await this.#save();
  }

  fail(failure: Failure): void {
    this.#end.reject(new RingstrasseError(failure));
  }
}

export function stepEvent(step: number): StepEvent {
  const worker = { rank: 0, replicas: [0], rows: 5, computeMs: 2, communicationMs: 1, sentBytes: 0, receivedBytes: 0 };
  return { event: "step", epoch: 1, step, loss: 1 / step, accuracy: 0.5, rows: 5, workers: [worker] };
}

export function epochEvent(epoch: number, epochs: number, steps: number): EpochEvent {
  return {
    event: "epoch", epoch, epochs, steps, trainLoss: 1 / epoch, trainAccuracy: 0.75, trainMeanAbsoluteError: null,
    testLoss: 0.5, testAccuracy: 0.8, testMeanAbsoluteError: null, samplesPerSecond: 100, communicationFraction: 0.1,
    elapsedMs: 10 * epoch,
  }; // biome-ignore format: one line per few fields
}

/** Workers in name only. Runs happen as the test says; several tests' worth of them side by side. */
export class ScriptedGround implements TrainingGround {
  #present: number;
  #busy = 0;
  readonly #others = new Map<EngineWish, { present: number; busy: number }>();
  readonly #listeners: (() => void)[] = [];
  readonly #arrived: ScriptedRun[] = [];
  readonly #awaited: Deferred<ScriptedRun>[] = [];
  /** Workers in use at once, at most so far. */
  mostBusy = 0;
  runsSoFar = 0;
  /** Has every run finish by itself when set. */
  isAutomatic = false;
  /** The next run loses a worker before it has told any of itself. */
  isLosing = false;
  /** Called when a run begins, before it is handed to the test. */
  onTrain: (run: ScriptedRun) => void = () => undefined;

  constructor(present: number) {
    this.#present = present;
  }

  capacity(wanted?: Pick<WorkersWanted, "engine">): { present: number; idle: number } {
    const other = this.#others.get(wanted?.engine ?? "auto");
    if (other !== undefined) return { present: other.present, idle: other.present - other.busy };
    return { present: this.#present, idle: Math.max(0, this.#present - this.#busy) };
  }

  /** Further workers, that have this engine alone; no others have it. */
  addOthers(engine: EngineName, present: number): void {
    this.#others.set(engine, { present, busy: 0 });
    this.#tell();
  }

  workers(): readonly ClusterWorker[] {
    return Array.from({ length: this.#present }, (_, index) => ({
      id: `worker-${index}`, host: "here", pid: index + 1, state: index < this.#busy ? "busy" : "idle", jobId: null,
      rank: null, replicas: [], engine: "wasm 4", lastHeartbeatMs: 0, step: null,
    })); // biome-ignore format: one line per few fields
  }

  onCapacityChanged(listener: () => void): void {
    this.#listeners.push(listener);
  }

  setPresent(present: number): void {
    this.#present = present;
    this.#tell();
  }

  /** The next run that begins; each is given once, in order. */
  next(): Promise<ScriptedRun> {
    const run = this.#arrived.shift();
    if (run !== undefined) return Promise.resolve(run);
    const awaited = deferred<ScriptedRun>();
    this.#awaited.push(awaited);
    return awaited.promise;
  }

  /** Runs that have begun and that nobody has asked for. */
  get unasked(): number {
    return this.#arrived.length;
  }

  async train(run: TrainingRun, around: RunSurroundings): Promise<TrainedRun | null> {
    const { workers } = run.policy;
    if (this.capacity(run.spec).idle < workers) return null;
    if (this.isLosing) {
      this.isLosing = false;
      this.setPresent(this.#present - 1);
      return await Promise.resolve(null);
    }
    this.#take(run, workers);
    this.mostBusy = Math.max(this.mostBusy, this.#busy);
    this.runsSoFar++;
    const end = deferred<"finish">();
    const scripted = new ScriptedRun(run, around, end);
    const abort = () => end.reject(around.signal.reason);
    using _stop = around.onStop((failure) => {
      void scripted.saveState().then(() => scripted.fail(failure));
    });
    if (around.signal.aborted) abort();
    around.signal.addEventListener("abort", abort);
    try {
      this.onTrain(scripted);
      if (this.isAutomatic) {
        scripted.start();
        scripted.step(2);
        scripted.finish();
      } else this.#hand(scripted);
      await end.promise;
      return await leaveResult(scripted);
    } finally {
      around.signal.removeEventListener("abort", abort);
      this.#take(run, -workers);
      this.#tell();
    }
  }

  #take({ spec }: TrainingRun, workers: number): void {
    const other = this.#others.get(spec.engine);
    if (other === undefined) this.#busy += workers;
    else other.busy += workers;
  }

  #hand(run: ScriptedRun): void {
    const awaited = this.#awaited.shift();
    if (awaited === undefined) this.#arrived.push(run);
    else awaited.resolve(run);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

async function leaveResult(scripted: ScriptedRun): Promise<TrainedRun> {
  const { run, epochs, steps } = scripted;
  const { spec, policy, output, configuration } = run;
  const { parameterCount } = arenaLayout(parametersOf(spec.model));
  const floats = Float32Array.from({ length: parameterCount }, (_, index) => Math.fround(Math.sin(index)));
  const weights = new Uint8Array(floats.buffer);
  await writeTrainedModel(run, weights);
  const finished: FinishedEvent = {
    event: "finished", jobId: spec.jobId, status: "FINISHED", engine: "wasm", collective: "local", ordered: true,
    workers: policy.workers, replicas: spec.replicas, threads: 1, epochs: epochs.length, steps, trainLoss: 0.25,
    trainAccuracy: 0.75, testLoss: 0.5, testAccuracy: 0.8, samplesPerSecond: 100, communicationFraction: 0.1,
    wallMs: 20, weightsSha256: sha256(weights), stateSha256: "0".repeat(64), modelDir: `${run.shownOut}/model`,
  }; // biome-ignore format: one line per few fields
  await writeResult(output.resultFile, { finished, history: epochs, configuration });
  return { finished, weights };
}
