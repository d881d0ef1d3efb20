import { execFile } from "node:child_process";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { deferred } from "../../shared/deferred.js";
import type { GenerationEvent, StepEvent, TrainEvent } from "../../shared/train-events.js";
import { median } from "./median.js";
import { startTraining, type TrainProcess } from "./train-process.js";

const run = promisify(execFile);
/** Steps in which engines warm up. */
const WARM_UP_STEPS = 10;

/** Where a training's processes run. Absent: anywhere. */
export interface TrainingCores {
  /** All of them. */
  readonly cores?: readonly number[];
  /** Each worker, by rank, with all of its threads; one of `cores`. */
  readonly workerCores?: readonly number[];
}

/** Of the steps of one slice, by what the workers measured of each. */
export interface SliceRates {
  /** Steps per second. */
  readonly mean: number;
  /** By the median step: what is left when a few steps are held up. */
  readonly typical: number;
  /** Milliseconds of a step in which a worker waited for the exchange: mean over steps and workers. */
  readonly waitedMs: number;
}

interface StepTimes {
  readonly stepMs: number;
  readonly waitedMs: number;
}

/**
 * A training that runs for slices of time, and stands still with all its processes (SIGSTOP) between them: several can be compared
 * within seconds, on a machine that is not the same a minute later. It never ends by itself. Linux only.
 */
export class SlicedTraining implements AsyncDisposable {
  /** Mean loss over the rows of each of the steps in which it warmed up: what tells whether two trainings compute the same. */
  readonly firstLosses: number[] = [];
  readonly #process: TrainProcess;
  readonly #warm = deferred<void>();
  /** It stands still, and would for ever when nobody is there to wake it. */
  readonly #end = (): void => this.#signal("SIGKILL");
  #workers: GenerationEvent["workers"] = [];
  /** Of those heard of since the last slice. */
  #steps: StepTimes[] = [];
  #count = 0;
  #runningMs = 0;
  /** Of all slices: the steps whose times are known, which those are not in whose midst it stood still. */
  readonly #timed = { count: 0, sumMs: 0 };

  private constructor(args: readonly string[], { cores }: TrainingCores) {
    const endless = [
      "--epochs=1000000",
      "--evaluate-every=1000000",
      "--silence-timeout=86400",
      "--stall-timeout=86400",
    ];
    this.#process = startTraining([...args, ...endless], {
      ...(cores === undefined ? {} : { cores }),
      ownGroup: true,
      onEvent: (event) => this.#hear(event),
    });
    process.once("exit", this.#end);
    void this.#process.outcome.then(
      ({ stderrTail }) => this.#warm.reject(new Error(`train ended before it was warm: ${stderrTail}`)),
      (thrown: unknown) => this.#warm.reject(thrown),
    );
  }

  /** Starts it, waits until it is warm, and stops it. @throws Error with the end of its log when it ends */
  static async start(args: readonly string[], where: TrainingCores = {}): Promise<SlicedTraining> {
    const training = new SlicedTraining(args, where);
    try {
      await training.#warm.promise;
      training.#signal("SIGSTOP");
      // All threads are there by now: none escapes.
      for (const [rank, core] of (where.workerCores ?? []).entries()) await training.#pin(rank, core);
    } catch (thrown) {
      await training[Symbol.asyncDispose]();
      throw thrown;
    }
    training.#steps = [];
    training.#count = 0;
    return training;
  }

  /** Lets it run for a while. */
  async run(seconds: number): Promise<SliceRates> {
    this.#signal("SIGCONT");
    const began = performance.now();
    await wait(seconds * 1000);
    this.#signal("SIGSTOP");
    this.#runningMs += performance.now() - began;
    // A step in whose midst it stood still; what is reported a slice late belongs to the slice before, which was like this one.
    const steps = this.#steps.filter(({ stepMs }) => stepMs < seconds * 1000);
    this.#steps = [];
    if (steps.length < 2) throw new Error(`less than two steps in ${seconds} s`);
    const sumMs = steps.reduce((sum, { stepMs }) => sum + stepMs, 0);
    this.#timed.count += steps.length;
    this.#timed.sumMs += sumMs;
    return {
      mean: (1000 * steps.length) / sumMs,
      typical: 1000 / median(steps.map(({ stepMs }) => stepMs)),
      waitedMs: steps.reduce((sum, { waitedMs }) => sum + waitedMs, 0) / steps.length,
    };
  }

  /** Steps per second over all slices, by counting them: what the steps themselves don't measure included. */
  get counted(): number {
    return (1000 * this.#count) / this.#runningMs;
  }

  /**
   * Milliseconds between the end of a step and the beginning of the next, mean over all slices: the time that it ran, by the steps
   * counted, less what they measured of themselves. Reports, epochs' ends and whatever else a training does.
   */
  get betweenStepsMs(): number {
    return 1000 / this.counted - this.#timed.sumMs / this.#timed.count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#process.outcome;
    process.off("exit", this.#end);
  }

  #hear(event: TrainEvent): void {
    if (event.event === "generation") this.#workers = event.workers;
    if (event.event !== "step") return;
    this.#steps.push(timesOf(event));
    this.#count += 1;
    if (this.firstLosses.length < WARM_UP_STEPS) this.firstLosses.push(event.loss);
    if (this.#count === WARM_UP_STEPS) this.#warm.resolve();
  }

  /** @throws Error when no such worker is known, or it may not be moved */
  async #pin(rank: number, core: number): Promise<void> {
    const pid = this.#workers.find((worker) => worker.rank === rank)?.pid;
    if (pid === undefined || pid === null) throw new Error(`nothing is known of the process of rank ${rank}`);
    await run("taskset", ["--all-tasks", "--pid", "--cpu-list", `${core}`, `${pid}`]);
  }

  #signal(name: NodeJS.Signals): void {
    try {
      process.kill(-this.#process.pid, name);
    } catch (thrown) {
      // It has ended; whoever waits for its steps is told why.
      if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown;
    }
  }
}

/** Means over the workers. The step is the same for every worker but for what their clocks make of it. */
function timesOf({ workers }: StepEvent): StepTimes {
  const mean = (figure: (worker: StepEvent["workers"][number]) => number): number =>
    workers.reduce((sum, worker) => sum + figure(worker), 0) / workers.length;
  return {
    stepMs: mean(({ computeMs, communicationMs }) => computeMs + communicationMs),
    waitedMs: mean(({ communicationMs }) => communicationMs),
  };
}
