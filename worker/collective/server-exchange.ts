import type { BlockFolder } from "./block-folder.js";
import type { Exchange, Membership } from "./collective.js";
import type { FoldSchedule } from "./fold-schedule.js";
import { replicaOfTerm } from "./fold-terms.js";
import { type CheckedFrame, frameName, type StarFrames, violation } from "./star-frames.js";

export interface ServerExchangeOptions {
  readonly exchange: Exchange;
  readonly membership: Membership;
  readonly schedule: FoldSchedule;
  readonly folder: BlockFolder;
  readonly frames: StarFrames;
}

/** How far the fold of a block has come. */
interface OpenFold {
  /** The term that is to be added next. */
  next: number;
  /** Terms that came before their turn. */
  readonly early: Map<number, Uint8Array>;
}

/**
 * One exchange on the server: adds what comes to its block as soon as it is its turn, its own replicas' gradients where theirs is, and sends
 * a block's total to everybody when the last term is in it. What comes before its turn is set aside; see `CLIENT_WINDOW_BYTES` for how much
 * that can be.
 */
export class ServerExchange {
  readonly #options: ServerExchangeOptions;
  readonly #gradientBytes: readonly number[];
  readonly #clients: readonly number[];
  /** By block. */
  readonly #folds: OpenFold[];

  constructor(options: ServerExchangeOptions) {
    const { folder, exchange, membership } = options;
    this.#options = options;
    this.#gradientBytes = folder.gradientBytes(exchange.withArena);
    this.#clients = Array.from({ length: membership.worldSize - 1 }, (_, index) => index + 1);
    this.#folds = this.#gradientBytes.map(() => ({ next: 0, early: new Map() }));
  }

  /** @throws the signal's reason when aborted. @throws RingstrasseError PROTOCOL_VIOLATION, ENDPOINT_UNAVAILABLE */
  async run(signal: AbortSignal): Promise<void> {
    const { frames } = this.#options;
    while (frames.areMissing) this.#take(await frames.receive(this.#clients, signal));
  }

  #take({ header, payload }: CheckedFrame): void {
    const { block, folded } = header;
    const fold = this.#folds[block];
    if (fold === undefined) {
      const problem = `${frameName(header)}, which has ${this.#folds.length} blocks here: the workers exchange different things`;
      throw violation(header, problem);
    }
    this.#check({ header, payload }, fold);
    const term = folded - 1;
    this.#addOwn(block, fold);
    if (term === fold.next) {
      this.#add(block, fold, payload);
    } else {
      fold.early.set(term, Uint8Array.from(payload));
    }
    this.#addWaiting(block, fold);
  }

  /** Whatever of this block is due and here. */
  #addWaiting(block: number, fold: OpenFold): void {
    const { replicas } = this.#options.membership;
    for (;;) {
      this.#addOwn(block, fold);
      const early = fold.early.get(fold.next);
      if (early === undefined) break;
      fold.early.delete(fold.next);
      this.#add(block, fold, early);
    }
    if (fold.next === replicas) this.#sendTotal(block);
  }

  #addOwn(block: number, fold: OpenFold): void {
    const { folder, exchange, membership } = this.#options;
    const { replicas } = membership;
    while (fold.next < replicas) {
      const replica = replicaOfTerm({ block, replicas }, fold.next);
      if (!this.#holds(membership.rank, replica)) return;
      const span = { from: replica, to: replica + 1 };
      if (fold.next === 0) folder.open(block, exchange.sequence, span);
      else folder.fold(block, exchange.sequence, span);
      fold.next++;
    }
  }

  #add(block: number, fold: OpenFold, gradient: Uint8Array): void {
    const { folder, exchange } = this.#options;
    if (fold.next === 0) folder.openReceived(block, exchange.sequence, gradient);
    else folder.foldReceived(block, exchange.sequence, gradient);
    fold.next++;
  }

  #sendTotal(block: number): void {
    const { folder, exchange, frames, membership } = this.#options;
    const total = folder.view(block, exchange.sequence);
    const frame = { block, phase: "total", folded: membership.replicas } as const;
    for (const rank of this.#clients) frames.send(rank, frame, total);
  }

  #check({ header, payload }: CheckedFrame, fold: OpenFold): void {
    const { block, folded, phase, sender } = header;
    const { replicas } = this.#options.membership;
    const term = folded - 1;
    const name = frameName(header);
    if (phase !== "gradient")
      throw violation(header, `${name}, expected gradients: only the server sends anything else`);
    if (folded < 1 || folded > replicas || !this.#holds(sender, replicaOfTerm({ block, replicas }, term))) {
      throw violation(header, `${name}, to be added as ${folded} of ${replicas}, which is no replica of that worker`);
    }
    if (term < fold.next || fold.early.has(term)) {
      throw violation(header, `${name}, to be added as ${folded} of ${replicas}: sent twice`);
    }
    const size = this.#gradientBytes[block] ?? 0;
    if (payload.byteLength !== size)
      throw violation(header, `${name} with ${payload.byteLength} bytes, expected ${size}`);
  }

  #holds(rank: number, replica: number): boolean {
    const arc = this.#options.schedule.arcs[rank];
    return arc !== undefined && replica >= arc.from && replica < arc.to;
  }
}
