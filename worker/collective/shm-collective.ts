import { RingstrasseError } from "../../shared/failure.js";
import type { RingTransport } from "../transport/ring-transport.js";
import type { BlockFolder } from "./block-folder.js";
import type { Collective, Exchange, ExchangeReport, Membership } from "./collective.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import { ExchangeGuard } from "./exchange-guard.js";
import { FoldSchedule } from "./fold-schedule.js";
import { decodeHeader, encodeHeader, type FrameHeader, type FramePhase, layoutTag } from "./frame-header.js";
import type { SharedGradients } from "./shared-gradients.js";

export interface ShmCollectiveOptions {
  /** At least two workers, all on one host. */
  readonly membership: Membership;
  readonly folder: BlockFolder;
  /** Connected to the next worker; carries headers only. Stays the caller's. */
  readonly transport: RingTransport;
  readonly layoutHash: string;
  /** The memory of all workers; stays the caller's. */
  readonly shared: SharedGradients;
}

/** Up to so many workers each folds everything: reading once more what others fold costs less than waiting for them. */
const MAX_FOLDING_ALL = 2;

/**
 * Ordered all-reduce through memory that the workers of one host share. In an exchange every worker
 * 1. copies the gradients of its replicas into its own segment, and says so ("published");
 * 2. when all have, folds blocks in the schedule's order, reading other workers' replicas from their segments: with two workers all
 *    blocks, with more every N-th;
 * 3. with more than two copies the totals of its blocks into its segment, says so ("folded"), and copies the others' totals.
 * What is said goes round the ring as frames without payload: N − 1 hops of some tens of microseconds. A socket's send and receive
 * order the memory accesses before and after them, so that no atomics are needed.
 *
 * **Why two sets of places are enough.** Exchange k + 2 writes the places of exchange k. A worker begins it after it has completed
 * k + 1, so all have published for k + 1, which each does when it has completed k: nobody reads the places of k any more.
 * **Why no announcement comes early.** A link keeps order, and the previous worker announces nothing new before it has passed on
 * all announcements of the phase before.
 */
export class ShmCollective implements Collective {
  readonly name = "shm";
  readonly ordered = true;
  readonly #options: ShmCollectiveOptions;
  readonly #schedule: FoldSchedule;
  readonly #layout: bigint;
  readonly #guard = new ExchangeGuard();

  /** @throws RangeError for a group of one, more workers than replicas, or a malformed hash. */
  constructor(options: ShmCollectiveOptions) {
    const { membership, layoutHash } = options;
    if (membership.worldSize < 2) throw new RangeError(`memory shared by ${membership.worldSize} worker`);
    this.#options = options;
    this.#schedule = new FoldSchedule(membership.worldSize, membership.replicas);
    this.#layout = layoutTag(layoutHash);
  }

  allReduce(exchange: Exchange, signal: AbortSignal): Promise<ExchangeReport> {
    return this.#guard.run(exchange, signal, () => this.#run(exchange, signal));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#guard.close();
    return Promise.resolve();
  }

  async #run(exchange: Exchange, signal: AbortSignal): Promise<ExchangeReport> {
    const startMs = performance.now();
    const { folder, shared, membership } = this.#options;
    const sizes = folder.blockBytes(exchange.withArena);
    const turns = new EventLoopTurns(signal);
    const { arcs } = this.#schedule;
    const arc = arcs[membership.rank] ?? { from: 0, to: 0 };
    let sentBytes = 0;
    let receivedBytes = 0;
    for (const block of sizes.keys()) {
      let published = 0;
      for (let replica = arc.from; replica < arc.to; replica++) {
        published += shared.publish(block, exchange.sequence, replica);
      }
      sentBytes += published;
      await turns.after(published);
    }
    await this.#announce("partial", exchange, signal);
    for (const [block, bytes] of sizes.entries()) {
      if (!this.#folds(block)) continue;
      receivedBytes += this.#fold(block, exchange.sequence);
      await turns.after(bytes * membership.replicas);
    }
    if (membership.worldSize > MAX_FOLDING_ALL) {
      const moved = await this.#shareTotals(sizes, exchange, signal);
      sentBytes += moved.sentBytes;
      receivedBytes += moved.receivedBytes;
    }
    return { sentBytes, receivedBytes, elapsedMs: performance.now() - startMs };
  }

  /** In the schedule's order: the visits name every replica once. @returns bytes of other workers' gradients */
  #fold(block: number, sequence: number): number {
    const { folder, shared, membership } = this.#options;
    let foreignBytes = 0;
    const arc = this.#schedule.arcs[membership.rank];
    for (const { rank, replicas, foldedBefore } of this.#schedule.visits(block)) {
      const isLocal = arc !== undefined && replicas.from >= arc.from && replicas.to <= arc.to;
      if (isLocal && foldedBefore === 0) folder.open(block, sequence, replicas);
      else if (isLocal) folder.fold(block, sequence, replicas);
      else {
        for (let replica = replicas.from; replica < replicas.to; replica++) {
          const foreign = shared.gradient(block, sequence, { rank, replica });
          foreignBytes += foreign.byteLength;
          if (foldedBefore === 0 && replica === replicas.from) folder.openForeign(block, sequence, foreign);
          else folder.addForeign(block, sequence, foreign);
        }
      }
    }
    return foreignBytes;
  }

  async #shareTotals(sizes: readonly number[], exchange: Exchange, signal: AbortSignal) {
    const { folder, shared, membership } = this.#options;
    const turns = new EventLoopTurns(signal);
    let sentBytes = 0;
    let receivedBytes = 0;
    for (const [block, bytes] of sizes.entries()) {
      if (!this.#folds(block)) continue;
      shared.publishTotal(block, exchange.sequence, folder.view(block, exchange.sequence));
      sentBytes += bytes;
      await turns.after(bytes);
    }
    await this.#announce("total", exchange, signal);
    for (const [block, bytes] of sizes.entries()) {
      if (this.#folds(block)) continue;
      const place = { rank: block % membership.worldSize, sizeBytes: bytes };
      folder.store(block, exchange.sequence, shared.total(block, exchange.sequence, place));
      receivedBytes += bytes;
      await turns.after(bytes);
    }
    return { sentBytes, receivedBytes };
  }

  #folds(block: number): boolean {
    const { rank, worldSize } = this.#options.membership;
    return worldSize <= MAX_FOLDING_ALL || block % worldSize === rank;
  }

  /** Tells all workers that this one has done its part of the phase, and waits until all have. */
  async #announce(phase: FramePhase, { sequence }: Exchange, signal: AbortSignal): Promise<void> {
    const { transport, membership } = this.#options;
    const { worldSize } = membership;
    this.#send(phase, sequence, 1);
    for (let hops = 1; hops < worldSize; hops++) {
      const frame = await transport.receive(signal);
      const from = `worker rank ${this.#previous}`;
      const header = decodeHeader(frame.header, from);
      const problem = this.#problemOf(header, { phase, sequence, hops });
      if (problem !== null) throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from, problem });
      // The next worker has heard of it itself, when it comes from there.
      if (hops < worldSize - 1) this.#send(phase, sequence, hops + 1);
    }
  }

  #send(phase: FramePhase, sequence: number, hops: number): void {
    const { transport, membership } = this.#options;
    const { generation, rank } = membership;
    const what = { generation, sequence, block: 0, phase, folded: hops, payloadBytes: 0, sender: rank };
    transport.send({ header: encodeHeader({ ...what, layout: this.#layout }), payload: new Uint8Array() });
  }

  #problemOf(header: FrameHeader, expected: { phase: FramePhase; sequence: number; hops: number }): string | null {
    const { generation } = this.#options.membership;
    if (header.generation !== generation) {
      return `an announcement of generation ${header.generation} in generation ${generation}`;
    }
    if (header.sender !== this.#previous) {
      return `an announcement sent by rank ${header.sender}: the ring is not connected in the order of the ranks`;
    }
    if (header.layout !== this.#layout) {
      const [theirs, ours] = [header.layout, this.#layout].map((tag) => tag.toString(16).padStart(16, "0"));
      return `its layout hash begins with ${theirs}, here with ${ours}: the workers hold different models or cuts`;
    }
    if (header.sequence !== expected.sequence || header.phase !== expected.phase || header.folded !== expected.hops) {
      const got = `${header.phase} of exchange ${header.sequence} after ${header.folded} hops`;
      return `an announcement of ${got}, expected ${expected.phase} of exchange ${expected.sequence} after ${expected.hops}: announcements were lost, or the workers disagree on the step`;
    }
    return null;
  }

  get #previous(): number {
    const { rank, worldSize } = this.#options.membership;
    return (rank + worldSize - 1) % worldSize;
  }
}
