import { ALIGNMENT_FLOATS } from "../../shared/arena-layout.js";
import { type CollectiveFigures, CollectiveNameSchema, type MeasuredChoice } from "../../shared/collective-choice.js";
import type { AddressableMemory } from "./block-folder.js";
import type { Collective, ExchangeBuffers } from "./collective.js";

const FLOAT32_BYTES = 4;
/** Floats of the arena that take part: 2 MiB show the bandwidth, and take milliseconds. */
const MOST_FLOATS = 2 ** 19;
/** Fewer bytes show no bandwidth: what they take is latency. */
const FEWEST_BYTES = 2 ** 16;
/** Every candidate has its turn in every round, so that none is measured in a worse moment than the others. */
const ROUNDS = 3;
/** All numbers of exchanges in a row are even: see {@link measureCollectives}. */
const LATENCY_EXCHANGES = 4;
const ARENA_EXCHANGES = 2;
const AGREEING_EXCHANGES = 2;

export interface ProbeOptions {
  /** Ready, unused, over the same links; more than one. They can't be used for anything else afterwards. */
  readonly candidates: readonly Collective[];
  /** What the job will exchange. */
  readonly buffers: ExchangeBuffers;
  /** What the candidates exchange: see {@link probeBuffers}. */
  readonly probed: ExchangeBuffers;
  /** What the addresses refer to. */
  readonly memory: AddressableMemory;
}

/** The first blocks of the same buffers, as far as a short measurement needs them; the cut is the job's. */
export function probeBuffers(buffers: ExchangeBuffers): ExchangeBuffers {
  const { blockLength, paddedLength } = buffers.blocks;
  const length = Math.max(ALIGNMENT_FLOATS, Math.min(paddedLength, MOST_FLOATS));
  const blocks = { blockLength, paddedLength: length, blockCount: Math.ceil(length / blockLength) };
  return { ...buffers, blocks };
}

/**
 * Measures what an exchange costs by each of the candidates: its latency with scalars alone, its bandwidth with some of the arena; and
 * chooses the one from which the least time is expected for the whole arena. Every worker calls it at the same time with the same
 * candidates. Takes some tens of milliseconds on an idle host. Writes sums and scalar sums; gradients are read, scalars zero afterwards.
 *
 * **Why all come to the same choice.** Each worker's figures are summed over all by an exchange of their own, whose bits are the same
 * everywhere; the choice is a function of those sums.
 *
 * **Why the candidates may share links and buffers.** An exchange takes all its frames and none that follow, so that the next one
 * finds the link as a new one. Sums are written in two sets in turn (ring-collective.ts), by the parity of the sequence: candidates
 * take turns after even numbers of exchanges, so that the sets go on to alternate from one candidate to the next and to the job.
 *
 * @throws the signal's reason when aborted. @throws RangeError when there is no room for three scalars
 */
export async function measureCollectives(options: ProbeOptions, signal: AbortSignal): Promise<MeasuredChoice> {
  const { candidates, buffers, probed, memory } = options;
  if (buffers.scalarCount < 3)
    throw new RangeError(`figures are agreed on in 3 scalars, there are ${buffers.scalarCount}`);
  const runs = candidates.map((collective) => new CandidateRun(collective, signal));
  // Connections are made, pages touched and code compiled in the first exchanges.
  for (const run of runs) await run.exchanges(true, ARENA_EXCHANGES);
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) await run.measure();
  }
  const sizes = {
    payloadBytes: buffers.blocks.paddedLength * FLOAT32_BYTES,
    probedBytes: probed.blocks.paddedLength * FLOAT32_BYTES,
  };
  const figures: CollectiveFigures[] = [];
  for (const run of runs) figures.push(expectation(run.name, await run.agree(buffers, memory), sizes));
  const [first, ...rest] = figures;
  if (first === undefined) throw new RangeError("nothing to choose from");
  const best = rest.reduce((fastest, one) => (one.expectedMs < fastest.expectedMs ? one : fastest), first);
  return { collective: best.collective, payloadBytes: sizes.payloadBytes, candidates: figures };
}

interface Times {
  /** Of an exchange of scalars alone. */
  readonly latencyMs: number;
  /** Of an exchange of the probed part of the arena. */
  readonly arenaMs: number;
}

/** Latency and bandwidth, and what follows from them for the whole payload. Pure. */
export function expectation(
  name: string,
  { latencyMs, arenaMs }: Times,
  { payloadBytes, probedBytes }: { readonly payloadBytes: number; readonly probedBytes: number },
): CollectiveFigures {
  const movingMs = Math.max(0, arenaMs - latencyMs);
  return {
    collective: CollectiveNameSchema.parse(name),
    latencyMs,
    bandwidthBps: movingMs > 0 && probedBytes >= FEWEST_BYTES ? (probedBytes * 1000) / movingMs : null,
    expectedMs: latencyMs + (movingMs * payloadBytes) / probedBytes,
  };
}

/** One candidate's exchanges, numbered on. */
class CandidateRun {
  readonly #collective: Collective;
  readonly #signal: AbortSignal;
  #sequence = 0;
  #latencyMs = Number.POSITIVE_INFINITY;
  #arenaMs = Number.POSITIVE_INFINITY;

  constructor(collective: Collective, signal: AbortSignal) {
    this.#collective = collective;
    this.#signal = signal;
  }

  get name(): string {
    return this.#collective.name;
  }

  /** @returns milliseconds of one */
  async exchanges(withArena: boolean, count: number): Promise<number> {
    const startMs = performance.now();
    for (let done = 0; done < count; done++) {
      await this.#collective.allReduce({ sequence: this.#sequence++, withArena }, this.#signal);
    }
    return (performance.now() - startMs) / count;
  }

  /** The best of all rounds counts: everything else that goes on here only ever adds. */
  async measure(): Promise<void> {
    this.#latencyMs = Math.min(this.#latencyMs, await this.exchanges(false, LATENCY_EXCHANGES));
    this.#arenaMs = Math.min(this.#arenaMs, await this.exchanges(true, ARENA_EXCHANGES));
  }

  /** Means over all workers' replicas; the same bits on every worker. */
  async agree(buffers: ExchangeBuffers, memory: AddressableMemory): Promise<Times> {
    const { scalarSums } = this.#collective.totals;
    const views = buffers.scalars.map((address) => new Float64Array(memory.buffer, address, buffers.scalarCount));
    for (const view of views) view.fill(0).set([this.#latencyMs, this.#arenaMs, 1]);
    await this.exchanges(false, AGREEING_EXCHANGES);
    const set = (this.#sequence - 1) % 2 === 0 ? 0 : 1;
    const sums = new Float64Array(memory.buffer, scalarSums[set], buffers.scalarCount);
    const [latencySum = 0, arenaSum = 0, count = 1] = sums;
    for (const view of views) view.fill(0);
    return { latencyMs: latencySum / count, arenaMs: arenaSum / count };
  }
}
