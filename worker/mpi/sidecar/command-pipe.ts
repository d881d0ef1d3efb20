import { writeSync } from "node:fs";
import { isSystemError } from "../../../shared/write-failure.js";
import { encodeCommand, type SidecarCommand } from "./sidecar-protocol.js";

/**
 * Commands to a sidecar, in their order. Writing never waits: what a full pipe doesn't take, because the sidecar stands still, is written
 * with what follows. A sidecar that is gone hears nothing, which its board says.
 */
export class CommandPipe {
  readonly #fd: number;
  readonly #waiting: Uint8Array[] = [];

  /** @param fd of the end to write to, which does not block; the caller's */
  constructor(fd: number) {
    this.#fd = fd;
  }

  write(command: SidecarCommand): void {
    this.#waiting.push(encodeCommand(command));
    this.flush();
  }

  /** Tries again what the pipe has not taken. @throws system errors but for those of a pipe that is full, or that nobody reads */
  flush(): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      try {
        writeSync(this.#fd, first);
      } catch (thrown) {
        if (isSystemError(thrown) && thrown.code === "EAGAIN") return;
        if (!isSystemError(thrown) || thrown.code !== "EPIPE") throw thrown;
      }
      this.#waiting.shift();
    }
  }
}
