import type {
  EpochEvent,
  GenerationEvent,
  ResumedEvent,
  StartedEvent,
  StepEvent,
  TrainEvent,
} from "../../shared/train-events.js";
import { describeConfiguration } from "./describe-configuration.js";
import { formatDuration, formatFigure, formatRate, formatShare } from "./format-figure.js";
import { type ProgressBar, startProgressBar } from "./progress-bar.js";

/** Shows a person how the training gets on. */
export interface Progress {
  /** Every event of the job, in order. */
  handle(event: TrainEvent): void;
  /** Ends the display, however the job ended; twice does no harm. */
  stop(): void;
}

export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** Lines about epochs in a whole run, where there is no terminal to draw on. */
const MOST_LINES = 20;

/** A bar on a terminal, else a line every now and then. @param stream stderr: stdout is for results. */
export function createProgress(stream: ProgressStream): Progress {
  return stream.isTTY === true ? new BarProgress(stream) : new LineProgress(stream);
}

class BarProgress implements Progress {
  readonly #stream: NodeJS.WritableStream;
  #started: StartedEvent | null = null;
  #bar: ProgressBar | null = null;
  #step = 0;
  #epoch: EpochEvent | null = null;
  #samplesPerSecond: number | null = null;
  #figures = "";

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  handle(event: TrainEvent): void {
    if (event.event === "started") this.#start(event);
    else if (event.event === "step") this.#draw(event.step, this.#ofStep(event));
    else if (event.event === "epoch") this.#onEpoch(event);
    else if (event.event === "generation") this.#onGeneration(event);
    else if (event.event === "collective") this.#tell(`collective: ${event.reason}`);
    else if (event.event === "resumed") this.#onResumed(event);
    else if (event.event === "warning") this.#tell(`warning: ${event.message}`);
    else if (event.event === "finished" || event.event === "failed") this.stop();
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
  }

  #start(event: StartedEvent): void {
    this.#started = event;
    this.#stream.write(`${describeConfiguration(event).join("\n")}\n`);
    this.#startBar(event);
  }

  #startBar({ epochs, stepsPerEpoch }: StartedEvent): void {
    const state = { total: epochs * stepsPerEpoch, value: this.#step, figures: this.#figures };
    this.#bar = startProgressBar(this.#stream, state);
  }

  #onGeneration(event: GenerationEvent): void {
    if (this.#started !== null && isEngineOpen(this.#started)) this.#tell(describeWorkers(event));
  }

  #onResumed(event: ResumedEvent): void {
    this.#step = event.step;
    this.#tell(describeResumed(event));
  }

  #onEpoch(event: EpochEvent): void {
    this.#epoch = event;
    this.#samplesPerSecond = event.samplesPerSecond;
    this.#draw(event.steps, this.#ofEpoch(event));
  }

  /** The bar would be torn apart: the text takes its line, and it goes on below. */
  #tell(text: string): void {
    this.#bar?.stop();
    this.#stream.write(`${text}\n`);
    if (this.#bar !== null && this.#started !== null) this.#startBar(this.#started);
  }

  #draw(step: number, figures: string): void {
    this.#step = step;
    this.#figures = figures;
    this.#bar?.update(step, figures);
  }

  #ofStep({ epoch, loss, accuracy }: StepEvent): string {
    return this.#shortFigures({ epoch, loss, accuracy });
  }

  #ofEpoch({ epoch, trainLoss, trainAccuracy }: EpochEvent): string {
    return this.#shortFigures({ epoch, loss: trainLoss, accuracy: trainAccuracy });
  }

  #shortFigures({ epoch, loss, accuracy }: { epoch: number; loss: number; accuracy: number | null }): string {
    const test = this.#epoch?.testAccuracy ?? null;
    return joinFigures([
      `loss ${formatFigure(loss)}`,
      accuracy === null ? null : `accuracy ${formatShare(accuracy)}`,
      this.#samplesPerSecond === null ? null : `${formatRate(this.#samplesPerSecond)} samples/s`,
      `epoch ${epoch}/${this.#started?.epochs ?? "?"}`,
      test === null ? null : `test ${formatShare(test)}`,
    ]);
  }
}

class LineProgress implements Progress {
  readonly #stream: NodeJS.WritableStream;
  #every = 1;
  #isEngineOpen = false;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  handle(event: TrainEvent): void {
    if (event.event === "started") {
      this.#every = Math.ceil(event.epochs / (MOST_LINES - 1));
      this.#isEngineOpen = isEngineOpen(event);
      for (const line of describeConfiguration(event)) this.#write(line);
    } else if (event.event === "generation") {
      if (this.#isEngineOpen) this.#write(describeWorkers(event));
    } else if (event.event === "collective") {
      this.#write(`collective: ${event.reason}`);
    } else if (event.event === "resumed") {
      this.#write(describeResumed(event));
    } else if (event.event === "warning") {
      this.#write(`warning: ${event.message}`);
    } else if (event.event === "epoch" && (event.epoch % this.#every === 0 || event.epoch === event.epochs)) {
      const leftMs = (event.elapsedMs / event.epoch) * (event.epochs - event.epoch);
      this.#write(joinFigures([epochFigures(event), leftMs > 0 ? `ETA ${formatDuration(leftMs)}` : null]));
    }
  }

  stop(): void {
    // Nothing is half-drawn: every line was complete when it was written.
  }

  #write(line: string): void {
    this.#stream.write(`${line}\n`);
  }
}

/** Whether the workers that come decide which engine it is; else it was told at the start. */
function isEngineOpen({ configuration }: StartedEvent): boolean {
  return configuration["engine"] === "auto";
}

function describeWorkers({ reason }: GenerationEvent): string {
  return `workers: ${reason}`;
}

function describeResumed({ epoch, step, file }: ResumedEvent): string {
  return `going on after epoch ${epoch}, step ${step}: ${file}`;
}

function epochFigures(event: EpochEvent): string {
  const share = (name: string, value: number | null) => (value === null ? null : `${name} ${formatShare(value)}`);
  const figure = (name: string, value: number | null) => (value === null ? null : `${name} ${formatFigure(value)}`);
  return joinFigures([
    `epoch ${event.epoch}/${event.epochs}`,
    figure("loss", event.trainLoss),
    share("accuracy", event.trainAccuracy),
    figure("error", event.trainMeanAbsoluteError),
    figure("test loss", event.testLoss),
    share("test accuracy", event.testAccuracy),
    figure("test error", event.testMeanAbsoluteError),
    `${formatRate(event.samplesPerSecond)} samples/s`,
  ]);
}

function joinFigures(figures: readonly (string | null)[]): string {
  return figures.filter((figure) => figure !== null).join(", ");
}
