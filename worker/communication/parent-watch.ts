import { Socket } from "node:net";
import process from "node:process";
import { RingstrasseError } from "../../shared/failure.js";

/** How long the main thread gets to leave by itself; it may hang in a computation. */
const GRACE_MS = 3000;

/**
 * Watches a pipe whose other end the parent holds: when it closes, the parent is gone and this process has to go too. Runs in the
 * communication thread, where it works even while the main thread hangs.
 */
export class ParentWatch {
  readonly #pipe: Socket;

  constructor(fileDescriptor: number, onGone: (reason: RingstrasseError) => void) {
    this.#pipe = new Socket({ fd: fileDescriptor, readable: true, writable: false });
    this.#pipe.resume();
    this.#pipe.once("close", () => {
      if (this.#closing) return;
      const problem = "the parent process is gone";
      onGone(new RingstrasseError({ code: "COORDINATOR_LOST", endpoint: "parent", silentMs: null, problem }));
      setTimeout(() => process.kill(process.pid, "SIGKILL"), GRACE_MS);
    });
  }

  #closing = false;

  close(): void {
    this.#closing = true;
    this.#pipe.destroy();
  }
}
