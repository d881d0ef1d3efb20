import process from "node:process";
import { deferred } from "../../shared/deferred.js";
import type { StepEvent } from "../../shared/train-events.js";
import { median } from "./median.js";
import { startTraining, type TrainProcess } from "./train-process.js";

/** Steps in which engines warm up. */
const WARM_UP_STEPS = 10;

/**
 * A training that runs for slices of time, and stands still with all its processes (SIGSTOP) between them: several can be compared
 * within seconds, on a machine that is not the same a minute later. It never ends by itself. Linux only.
 */
export class SlicedTraining implements AsyncDisposable {
  readonly #process: TrainProcess;
  readonly #warm = deferred<void>();
  /** Of those heard of since the last slice, milliseconds each. */
  #steps: number[] = [];
  #count = 0;
  #runningMs = 0;

  private constructor(args: readonly string[], core: number | null) {
    const endless = [
      "--epochs=1000000",
      "--evaluate-every=1000000",
      "--silence-timeout=86400",
      "--stall-timeout=86400",
    ];
    this.#process = startTraining([...args, ...endless], {
      ...(core === null ? {} : { core }),
      ownGroup: true,
      onEvent: (event) => {
        if (event.event === "step") this.#hear(stepMs(event));
      },
    });
    void this.#process.outcome.then(({ stderrTail }) =>
      this.#warm.reject(new Error(`train ended before it was warm: ${stderrTail}`)),
    );
  }

  /** Starts it, waits until it is warm, and stops it. @param core all of its processes run there; null: anywhere */
  static async start(args: readonly string[], core: number | null): Promise<SlicedTraining> {
    const training = new SlicedTraining(args, core);
    await training.#warm.promise;
    training.#signal("SIGSTOP");
    training.#steps = [];
    training.#count = 0;
    return training;
  }

  /** Lets it run for a while. */
  async run(seconds: number): Promise<SliceRates> {
    this.#signal("SIGCONT");
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    this.#signal("SIGSTOP");
    this.#runningMs += performance.now() - began;
    // A step in whose midst it stood still; what is reported a slice late belongs to the slice before, which was like this one.
    const steps = this.#steps.filter((ms) => ms < seconds * 1000);
    this.#steps = [];
    if (steps.length < 2) throw new Error(`less than two steps in ${seconds} s`);
    return { mean: (1000 * steps.length) / steps.reduce((sum, ms) => sum + ms, 0), typical: 1000 / median(steps) };
  }

  /** Steps per second over all slices, by counting them: what the steps themselves don't measure included. */
  get counted(): number {
    return (1000 * this.#count) / this.#runningMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal("SIGKILL");
    await this.#process.outcome;
  }

  #hear(ms: number): void {
    this.#steps.push(ms);
    this.#count += 1;
    if (this.#count === WARM_UP_STEPS) this.#warm.resolve();
  }

  #signal(name: NodeJS.Signals): void {
    process.kill(-this.#process.pid, name);
  }
}

/** Steps per second, by what the workers measured of each step. */
export interface SliceRates {
  readonly mean: number;
  /** By the median step: what is left when a few steps are held up. */
  readonly typical: number;
}

/** The same for every worker but for what their clocks make of it. */
function stepMs({ workers }: StepEvent): number {
  return workers.reduce((sum, { computeMs, communicationMs }) => sum + computeMs + communicationMs, 0) / workers.length;
}
