import { encodeTrainEvent, type TrainEvent } from "../../shared/train-events.js";

export interface EventQueueLimits {
  /** Steps that wait, and epochs that wait. */
  readonly keptOfKind: number;
}

export interface BatchLimits {
  readonly events: number;
  /** Of the events as JSON; a batch has one event at least, however large. */
  readonly bytes: number;
}

/**
 * Events that wait to be reported, in order, in bounded memory: when too many steps wait, every second of them is left out, the newest
 * stays; epochs go the same way at their own bound. All others, of which a run has few, are kept. Pure.
 * Cost: constant per event, amortised.
 */
export class EventQueue {
  readonly #limits: EventQueueLimits;
  #events: TrainEvent[] = [];
  readonly #waiting = { step: 0, epoch: 0 };
  readonly #leftOut = { step: 0, epoch: 0 };

  constructor(limits: EventQueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#events.length;
  }

  /** Events that nobody will hear of. */
  get leftOut(): { readonly step: number; readonly epoch: number } {
    return this.#leftOut;
  }

  push(event: TrainEvent): void {
    this.#events.push(event);
    if (event.event !== "step" && event.event !== "epoch") return;
    this.#waiting[event.event]++;
    if (this.#waiting[event.event] > this.#limits.keptOfKind) this.#thin(event.event);
  }

  /** Takes the oldest events out, as many as fit. */
  take(limits: BatchLimits): TrainEvent[] {
    let bytes = 0;
    let count = 0;
    for (const event of this.#events) {
      bytes += Buffer.byteLength(encodeTrainEvent(event)) + 1;
      if (count > 0 && (bytes > limits.bytes || count >= limits.events)) break;
      count++;
    }
    const taken = this.#events.slice(0, count);
    this.#events = this.#events.slice(count);
    for (const { event } of taken) if (event === "step" || event === "epoch") this.#waiting[event]--;
    return taken;
  }

  clear(): void {
    this.#events = [];
    this.#waiting.step = 0;
    this.#waiting.epoch = 0;
  }

  #thin(kind: "step" | "epoch"): void {
    let newer = this.#waiting[kind];
    this.#events = this.#events.filter(({ event }) => {
      if (event !== kind) return true;
      newer--;
      return newer % 2 === 0;
    });
    const kept = Math.ceil(this.#waiting[kind] / 2);
    this.#leftOut[kind] += this.#waiting[kind] - kept;
    this.#waiting[kind] = kept;
  }
}
