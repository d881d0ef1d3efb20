import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { HostNetwork } from "./host-network.js";

/** Writes every frame of the interface e0. */
const LISTEN = `import socket, sys
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind(("e0", 0))
sys.stdout.buffer.write(b"listening")
while True:
    sys.stdout.buffer.flush()
    sys.stdout.buffer.write(tap.recv(65536))`;

/** Somebody who reads all that comes to a host over the network and leaves it; needs python3. */
export class Wiretap implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #pieces: Buffer[] = [];

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.stdout?.on("data", (piece) => this.#pieces.push(piece));
  }

  /** Resolves when it listens. */
  static async on(hosts: HostNetwork, node: string): Promise<Wiretap> {
    const [command = "", ...args] = [...hosts.through(node), "python3", "-c", LISTEN];
    const tap = new Wiretap(spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] }));
    await tap.until("listening");
    return tap;
  }

  /** Resolves when this has gone over the network. @returns all so far, byte for byte */
  async until(text: string): Promise<string> {
    const { stdout } = this.#process;
    if (stdout === null) throw new Error("no output of the wiretap");
    while (!this.#heard().includes(text)) await once(stdout, "data");
    return this.#heard();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill();
    await ended;
  }

  #heard(): string {
    return Buffer.concat(this.#pieces).toString("latin1");
  }
}
