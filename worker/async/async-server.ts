import { setImmediate as nextTurn } from "node:timers/promises";
import { type Deferred, deferred } from "../../shared/deferred.js";
import { RingstrasseError, toFailure } from "../../shared/failure.js";
import type { AddressableMemory } from "../collective/block-folder.js";
import type { MovedBytes } from "../collective/guarded-collective.js";
import { type AsyncFrames, asyncFrameName, type CheckedAsyncFrame, unexpected } from "./async-frames.js";
import type { AsyncParameters, ScalarSum } from "./async-parameters.js";
import type { ParameterStore } from "./parameter-store.js";
import {
  decodeTerms,
  encodeGrant,
  type Grant,
  movedWith,
  NOTHING_SERVED,
  type PushPull,
  type PushPullReport,
  type PushPullTerms,
} from "./push-pull.js";
import { ScalarTable } from "./scalar-table.js";
import type { StalenessGate } from "./staleness-gate.js";

export interface AsyncServerOptions {
  /** This worker's. */
  readonly rank: number;
  readonly worldSize: number;
  readonly store: ParameterStore;
  readonly gate: StalenessGate;
  /** What addresses in its own worker's requests refer to. */
  readonly memory: AddressableMemory;
  /** Null: there are no other workers. */
  readonly frames: AsyncFrames | null;
}

/** A call of a worker's, waiting for its turn or having it. */
interface Call {
  readonly rank: number;
  readonly sequence: number;
  readonly terms: PushPullTerms;
  /** Of the server's own worker; null: frames come and go. */
  readonly own: { readonly request: PushPull; readonly done: Deferred<Grant> } | null;
  nextBlock: number;
}

/**
 * The worker that has the parameters. Calls are served one after the other, in the order in which they come, but for those of workers that
 * are too far ahead: these wait until the slowest has come closer. So an update is whole before the next one begins; its blocks are applied
 * as they arrive, and sent back at once, so that a call costs little more than its bytes take one way.
 *
 * **Why all go on.** The gate is open for the slowest worker, so that some call can always be served; a call that is being served waits for its own
 * worker's frames alone.
 *
 * **Memory.** One block of gradients, and copies of as many as one client's window is wide; never an arena.
 */
export class AsyncServer implements AsyncParameters {
  readonly #options: AsyncServerOptions;
  readonly #waiting: Call[] = [];
  readonly #scalars: ScalarTable;
  /** Updates that each worker's parameters have seen, by rank. */
  readonly #seen: number[];
  #current: Call | null = null;
  #ownCalls = 0;
  /** For the steps of others, since this worker was last told. */
  #served = NOTHING_SERVED;
  /** The last call of this worker's own, as far as it has begun: settles when nothing of it is written any more. */
  #serving: Promise<void> = Promise.resolve();
  #summing: { readonly sequence: number; readonly done: Deferred<Float64Array> } | null = null;
  #failure: RingstrasseError | null = null;

  constructor(options: AsyncServerOptions) {
    this.#options = options;
    this.#scalars = new ScalarTable(options.worldSize);
    this.#seen = new Array<number>(options.worldSize).fill(options.store.updates);
  }

  /** Serves the other workers until aborted. What goes wrong is told to this worker's next call. Resolves; never rejects. */
  async serve(signal: AbortSignal): Promise<void> {
    const { frames } = this.#options;
    if (frames === null) return;
    try {
      for (;;) this.#take(await frames.receive(signal));
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  async pushPull(request: PushPull, signal: AbortSignal): Promise<PushPullReport> {
    const startMs = performance.now();
    this.#throwIfOver(signal);
    const done = deferred<Grant>();
    const { rank } = this.#options;
    this.#waiting.push({ rank, sequence: this.#ownCalls++, terms: request, own: { request, done }, nextBlock: 0 });
    this.#serveNext();
    const grant = await done.promise;
    const served = this.#served;
    this.#served = NOTHING_SERVED;
    // The call itself is in memory: nothing is sent.
    return { ...grant, sentBytes: 0, receivedBytes: 0, elapsedMs: performance.now() - startMs, served };
  }

  async sum(values: Float64Array, signal: AbortSignal): Promise<ScalarSum> {
    this.#throwIfOver(signal);
    const { rank, worldSize } = this.#options;
    const done = deferred<Float64Array>();
    this.#summing = { sequence: this.#ownCalls++, done };
    this.#addScalars(rank, this.#summing.sequence, Float64Array.from(values));
    const totals = await done.promise;
    // Of the sum alone: others may be served meanwhile.
    const others = worldSize - 1;
    return { totals, sentBytes: totals.byteLength * others, receivedBytes: values.byteLength * others };
  }

  /** After an abort, or when no call is under way. Then the memory may be used for something else. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#serving;
  }

  #take(frame: CheckedAsyncFrame): void {
    switch (frame.phase) {
      case "ask":
        return this.#onAsk(frame);
      case "gradient":
        return this.#onGradient(frame);
      case "partial":
        return this.#onScalars(frame);
      default:
        throw unexpected(frame, `${asyncFrameName(frame)}: only the server sends that`);
    }
  }

  #onAsk(frame: CheckedAsyncFrame): void {
    const { rank, sequence } = { rank: frame.sender, sequence: frame.sequence };
    const terms = decodeTerms(frame.payload);
    if (terms === null || terms.pulled >= this.#options.store.arenaCount || !(terms.count >= 0)) {
      throw unexpected(frame, `${asyncFrameName(frame)}: what it asks for can't be`);
    }
    if (this.#current?.rank === rank || this.#waiting.some((call) => call.rank === rank)) {
      throw unexpected(frame, `${asyncFrameName(frame)}, while its last call is not over`);
    }
    this.#count(terms, { sentBytes: 0, receivedBytes: frame.payload.byteLength });
    this.#waiting.push({ rank, sequence, terms, own: null, nextBlock: 0 });
    this.#serveNext();
  }

  #onGradient(frame: CheckedAsyncFrame): void {
    const { store, frames } = this.#options;
    const call = this.#current;
    const { sender, sequence, block, payload } = frame;
    if (call === null || call.rank !== sender || call.sequence !== sequence) {
      throw unexpected(frame, `${asyncFrameName(frame)}: it is not its turn`);
    }
    const expected = call.terms.count === 0 ? 0 : store.sizeBytes(call.nextBlock);
    if (block !== call.nextBlock || payload.byteLength !== expected) {
      throw unexpected(frame, `${asyncFrameName(frame)}, expected block ${call.nextBlock} with ${expected}`);
    }
    if (call.terms.count > 0) store.applyReceived(block, call.terms, payload);
    const sent = store.copy(block, call.terms.pulled);
    this.#count(call.terms, { sentBytes: sent.byteLength, receivedBytes: payload.byteLength });
    frames?.send(sender, { phase: "parameters", sequence, block, payload: sent });
    if (++call.nextBlock === store.blockCount) this.#end(call);
  }

  #onScalars(frame: CheckedAsyncFrame): void {
    const { sender, sequence, payload } = frame;
    if (payload.byteLength % Float64Array.BYTES_PER_ELEMENT !== 0) {
      throw unexpected(frame, `${asyncFrameName(frame)}: no numbers are so long`);
    }
    this.#addScalars(sender, sequence, new Float64Array(Uint8Array.from(payload).buffer));
  }

  #addScalars(rank: number, sequence: number, values: Float64Array): void {
    const sums = this.#scalars.add(rank, { sequence, values });
    if (sums === null) return;
    const payload = new Uint8Array(sums.totals.buffer, sums.totals.byteOffset, sums.totals.byteLength);
    for (const [to, call] of sums.calls.entries()) {
      if (to !== this.#options.rank) this.#options.frames?.send(to, { phase: "total", sequence: call, payload });
    }
    this.#summing?.done.resolve(sums.totals);
    this.#summing = null;
  }

  /** Begins the first call that may be served, unless one is being served. */
  #serveNext(): void {
    if (this.#current !== null) return;
    const { gate, store, frames } = this.#options;
    const at = this.#waiting.findIndex(({ rank, terms }) => !terms.completesStep || gate.isOpen(rank));
    const [call] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (call === undefined) return;
    this.#current = call;
    const { rank, sequence, terms, own } = call;
    const staleness = store.updates - (this.#seen[rank] ?? 0);
    if (terms.count > 0) store.begin();
    const grant = { staleness, stepsAhead: terms.completesStep ? gate.passed(rank) : 0 };
    if (own !== null) {
      this.#serving = this.#serveOwn(call, grant).catch((thrown: unknown) => this.#fail(thrown));
      return;
    }
    const payload = encodeGrant(grant);
    this.#count(terms, { sentBytes: payload.byteLength, receivedBytes: 0 });
    frames?.send(rank, { phase: "grant", sequence, payload });
  }

  async #serveOwn(call: Call, grant: Grant): Promise<void> {
    const { store, memory } = this.#options;
    const { own, terms } = call;
    if (own === null) throw new RangeError("a call of another worker");
    let target = own.request.into;
    for (let block = 0; block < store.blockCount; block++) {
      if (terms.count > 0) store.applyOwn(block, terms, own.request.gradients);
      new Uint8Array(memory.buffer).set(store.copy(block, terms.pulled), target);
      target += store.sizeBytes(block);
      // Heartbeats stay on time, and the frames of others come in.
      await nextTurn();
      // Its call has been rejected: the memory may be another job's by now.
      if (this.#failure !== null) return;
    }
    own.done.resolve(grant);
    this.#end(call);
  }

  #end({ rank, terms }: Call): void {
    this.#current = null;
    if (terms.pulled === 0) this.#seen[rank] = this.#options.store.updates;
    this.#serveNext();
  }

  /** As those who make the calls count: what belongs to no step is left out. */
  #count({ completesStep }: PushPullTerms, moved: MovedBytes): void {
    if (completesStep) this.#served = movedWith(this.#served, moved);
  }

  #throwIfOver(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.#failure !== null) throw this.#failure;
  }

  #fail(thrown: unknown): void {
    this.#failure ??=
      thrown instanceof RingstrasseError ? thrown : new RingstrasseError(toFailure(thrown), { cause: thrown });
    const waiting = [...this.#waiting, this.#current].map((call) => call?.own?.done);
    for (const done of [...waiting, this.#summing?.done]) done?.reject(this.#failure);
  }
}
