import { RingstrasseError } from "../../shared/failure.js";
import type { Landing, RingFrame, RingTransport } from "../transport/ring-transport.js";
import type { BlockFolder } from "./block-folder.js";
import type { Exchange, Membership } from "./collective.js";
import { EventLoopTurns } from "./event-loop-turns.js";
import type { FoldDuty, FoldSchedule, Traffic } from "./fold-schedule.js";
import { decodeHeader, encodeHeader, type FrameHeader, type FramePhase } from "./frame-header.js";

export interface RingExchangeOptions {
  readonly exchange: Exchange;
  readonly membership: Membership;
  readonly schedule: FoldSchedule;
  readonly folder: BlockFolder;
  readonly transport: RingTransport;
  /** See `layoutTag`. */
  readonly layout: bigint;
  /** Gradients that nothing has to be added to leave from their place; else they are copied to where sums lie first. */
  readonly sendsGradients: boolean;
  /** Of the schedule: what must come in and go out. */
  readonly expected: Traffic;
}

/** What this worker waits for to do its part for a block. */
type Awaited = FramePhase | "nothing";

/**
 * One exchange on one worker: opens the blocks that start here, then takes frames as they come, whatever their blocks, folds
 * and forwards each at once. There are no rounds: a frame never waits for another block's.
 */
export class RingExchange {
  /** Frames of an older generation that were dropped. */
  staleFrames = 0;
  readonly #options: RingExchangeOptions;
  readonly #sizes: readonly number[];
  readonly #duties: readonly FoldDuty[];
  readonly #awaited: Awaited[];
  readonly #previous: number;
  #sentFrames = 0;
  #sentBytes = 0;
  #receivedFrames = 0;
  #receivedBytes = 0;

  constructor(options: RingExchangeOptions) {
    const { membership, schedule, folder, exchange } = options;
    this.#options = options;
    this.#sizes = folder.blockBytes(exchange.withArena);
    this.#duties = this.#sizes.map((_, block) => schedule.duty(block, membership.rank));
    this.#awaited = this.#duties.map((duty) => (duty.continues !== null ? "partial" : "total"));
    this.#previous = (membership.rank + membership.worldSize - 1) % membership.worldSize;
  }

  /** @throws the signal's reason when aborted. @throws RingstrasseError PROTOCOL_VIOLATION */
  async run(signal: AbortSignal): Promise<Traffic> {
    const { transport, expected, exchange, folder, sendsGradients } = this.#options;
    const turns = new EventLoopTurns(signal);
    for (const [block, { opens }] of this.#duties.entries()) {
      if (opens === null) continue;
      const gradients = sendsGradients ? folder.openInPlace(block, opens) : null;
      if (gradients === null) folder.open(block, exchange.sequence, opens);
      this.#send(block, "partial", opens.to - opens.from, gradients);
      await turns.after(this.#size(block) * (opens.to - opens.from));
    }
    const landing: Landing = (header, payloadBytes) => this.#landing(header, payloadBytes);
    while (this.#receivedFrames < expected.receivedFrames) this.#take(await transport.receive(signal, landing));
    return this.#traffic();
  }

  /** The place of a block that is waited for. What is not is refused when it is taken, and until then lies elsewhere. */
  #landing(header: Uint8Array, payloadBytes: number): Uint8Array | null {
    const { exchange, folder } = this.#options;
    const decoded = decodeHeader(header, this.#sender);
    return this.#problemOf(decoded, payloadBytes) === null ? folder.view(decoded.block, exchange.sequence) : null;
  }

  get #sender(): string {
    return `worker rank ${this.#previous}`;
  }

  #take(frame: RingFrame): void {
    const from = this.#sender;
    const header = decodeHeader(frame.header, from);
    if (header.generation < this.#options.membership.generation) {
      this.staleFrames++;
      return;
    }
    const problem = this.#problemOf(header, frame.payload.byteLength);
    if (problem !== null) throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from, problem });
    this.#receivedFrames++;
    this.#receivedBytes += header.payloadBytes;
    this.#options.folder.store(header.block, this.#options.exchange.sequence, frame.payload);
    if (header.phase === "partial") this.#onPartial(header.block);
    else this.#onTotal(header.block);
  }

  #onPartial(block: number): void {
    const { folder, exchange } = this.#options;
    const duty = this.#duties[block];
    if (duty === undefined || duty.continues === null) throw new RangeError(`block ${block} is not continued here`);
    const { replicas, foldedBefore } = duty.continues;
    folder.fold(block, exchange.sequence, replicas);
    this.#awaited[block] = duty.receivesTotal ? "total" : "nothing";
    this.#send(block, duty.finishes ? "total" : "partial", foldedBefore + replicas.to - replicas.from);
  }

  #onTotal(block: number): void {
    this.#awaited[block] = "nothing";
    if (this.#duties[block]?.forwardsTotal) this.#send(block, "total", this.#options.membership.replicas);
  }

  /** @param gradients in the place of a sum; null: the sum itself */
  #send(block: number, phase: FramePhase, folded: number, gradients: Uint8Array | null = null): void {
    const { exchange, folder, layout, membership, transport } = this.#options;
    const { generation, rank } = membership;
    const payload = gradients ?? folder.view(block, exchange.sequence);
    const payloadBytes = payload.byteLength;
    const what = { generation, sequence: exchange.sequence, block, phase, folded, payloadBytes, sender: rank, layout };
    transport.send({ header: encodeHeader(what), payload });
    this.#sentFrames++;
    this.#sentBytes += payloadBytes;
  }

  /** What is wrong with a frame of this or a later generation; null when it is one that is waited for. */
  #problemOf(header: FrameHeader, payloadBytes: number): string | null {
    return this.#strangerProblem(header) ?? this.#sequenceProblem(header) ?? this.#blockProblem(header, payloadBytes);
  }

  #strangerProblem({ generation, layout, sender }: FrameHeader): string | null {
    const { membership } = this.#options;
    if (generation !== membership.generation) {
      return `a frame of generation ${generation} in generation ${membership.generation}`;
    }
    if (sender !== this.#previous) {
      return `a frame sent by rank ${sender}: the ring is not connected in the order of the ranks`;
    }
    if (layout !== this.#options.layout) {
      const [theirs, ours] = [layout, this.#options.layout].map((tag) => tag.toString(16).padStart(16, "0"));
      return `its layout hash begins with ${theirs}, here with ${ours}: the workers hold different models or cuts`;
    }
    return null;
  }

  #sequenceProblem({ sequence }: FrameHeader): string | null {
    const { exchange, expected } = this.#options;
    if (sequence === exchange.sequence) return null;
    const missing = `${expected.receivedFrames - this.#receivedFrames} of ${expected.receivedFrames} frames`;
    return sequence > exchange.sequence
      ? `a frame of exchange ${sequence} while ${missing} of exchange ${exchange.sequence} are missing: frames were lost, or the workers disagree on the step`
      : `a frame of exchange ${sequence} in exchange ${exchange.sequence}: sent twice, or too late`;
  }

  #blockProblem(header: FrameHeader, payloadBytes: number): string | null {
    const { block, phase, folded } = header;
    const name = `${phase} of block ${block} in exchange ${header.sequence}`;
    const awaited = this.#awaited[block];
    if (awaited === undefined) {
      return `${name}, which has ${this.#sizes.length} blocks here: the workers exchange different things`;
    }
    if (awaited !== phase) {
      return `${name}, expected ${awaited === "nothing" ? "nothing more" : `its ${awaited}`}: sent twice, or frames were lost`;
    }
    const size = this.#size(block);
    if (header.payloadBytes !== size || payloadBytes !== size) {
      return `${name} with ${payloadBytes} bytes (${header.payloadBytes} announced), expected ${size}`;
    }
    const expectedFolded = this.#expectedFolded(block, phase);
    return folded === expectedFolded ? null : `${name} with ${folded} replicas in it, expected ${expectedFolded}`;
  }

  #expectedFolded(block: number, phase: FramePhase): number {
    const continues = this.#duties[block]?.continues;
    return phase === "partial" && continues ? continues.foldedBefore : this.#options.membership.replicas;
  }

  /** Counted, not computed, and held against the schedule: the last line of defence against a defect in either. */
  #traffic(): Traffic {
    const { expected, exchange } = this.#options;
    const moved: Traffic = {
      sentFrames: this.#sentFrames,
      receivedFrames: this.#receivedFrames,
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
    };
    const [got, wanted] = [JSON.stringify(moved), JSON.stringify(expected)];
    if (got !== wanted) {
      const problem = `exchange ${exchange.sequence} moved ${got}, the schedule says ${wanted}`;
      throw new RingstrasseError({ code: "INTERNAL", problem });
    }
    return moved;
  }

  #size(block: number): number {
    return this.#sizes[block] ?? 0;
  }
}
