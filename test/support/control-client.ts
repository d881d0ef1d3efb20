import { onTestFinished } from "vitest";
import { Dealer } from "zeromq";
import { WorkerIdSchema } from "../../shared/ids.js";
import { decodeFromCoordinator, MessageEncoder } from "../../shared/protocol/codec.js";
import type { EngineFacts, FromCoordinator, WorkerBody } from "../../shared/protocol/control-message.js";
import { curveClientOf } from "./curve-client.js";

export const ENGINE: EngineFacts = {
  name: "wasm",
  version: "1",
  instructionSet: "simd128",
  threads: 1,
  probeSha256: "0".repeat(64),
};

/** A worker's end of a control link, for tests: says what it is told to say, and hands out what the coordinator says, in order. */
export class ControlClient {
  readonly #dealer: Dealer;
  readonly #encoder = new MessageEncoder();

  constructor(endpoint: string, routingId: string, token: string) {
    this.#dealer = new Dealer({ routingId, linger: 0, ...curveClientOf(token, endpoint) });
    onTestFinished(() => this.#dealer.close());
    this.#dealer.connect(endpoint);
  }

  async send(body: WorkerBody): Promise<void> {
    await this.#dealer.send(Buffer.from(this.#encoder.encode(body)));
  }

  /** The next message. */
  async next(): Promise<FromCoordinator> {
    const [bytes = Buffer.alloc(0)] = await this.#dealer.receive();
    return decodeFromCoordinator(bytes, "the coordinator");
  }

  /** The next message of this kind; those before it are skipped. */
  async nextOf<Kind extends FromCoordinator["kind"]>(kind: Kind): Promise<Extract<FromCoordinator, { kind: Kind }>> {
    for (;;) {
      const message = await this.next();
      if (message.kind === kind) return message as Extract<FromCoordinator, { kind: Kind }>;
    }
  }

  /** Sends one message and waits for one. */
  async ask(body: WorkerBody): Promise<FromCoordinator> {
    await this.send(body);
    return this.next();
  }
}

export interface Joining {
  readonly token: string;
  readonly host?: string;
  readonly engines?: readonly EngineFacts[];
}

type JoinBody = Extract<WorkerBody, { kind: "join" }>;

export function joinMessage(workerId: string, { token, host = "h", engines = [ENGINE] }: Joining): JoinBody {
  const id = WorkerIdSchema.parse(workerId);
  return {
    kind: "join",
    token,
    workerId: id,
    host,
    pid: 1,
    nodeVersion: "v20",
    engines: [...engines],
    memoryDomain: "here",
  };
}
