import process from "node:process";
import { RingstrasseError } from "../../shared/failure.js";

const KINDS = ["crash", "freeze", "hang", "throw"] as const;
type FaultKind = (typeof KINDS)[number];

interface Fault {
  readonly kind: FaultKind;
  readonly rank: number;
  readonly step: number;
}

/**
 * Faults on purpose, for tests of failure handling (also of one's own cluster): `crash@rank=1,step=3` kills the process, `freeze`
 * stops the whole process, `hang` blocks the main thread while heartbeats go on, `throw` raises an error. Each says on stderr that it fires, so that a test can assert that it did.
 */
export class FaultPlan {
  readonly #faults: readonly Fault[];
  readonly #announce: (text: string) => void;

  /** @throws RingstrasseError USAGE for a text that names no fault. */
  constructor(texts: readonly string[], announce: (text: string) => void) {
    this.#faults = texts.map(parseFault);
    this.#announce = announce;
  }

  /** Fires what is planned for this rank and step; most kinds don't return. */
  fire(rank: number, step: number): void {
    for (const fault of this.#faults) {
      if (fault.rank !== rank || fault.step !== step) continue;
      this.#announce(`injected fault fires: ${fault.kind} at rank ${rank}, step ${step}`);
      strike(fault);
    }
  }
}

/** @throws RingstrasseError USAGE */
export function parseFault(text: string): Fault {
  const match = /^(?<kind>[a-z]+)@rank=(?<rank>\d+),step=(?<step>\d+)$/.exec(text);
  const kind = KINDS.find((known) => known === match?.groups?.["kind"]);
  if (kind === undefined) {
    throw new RingstrasseError({
      code: "USAGE",
      option: "--inject-fault",
      problem: `"${text}" names no fault`,
      remedy: `Write KIND@rank=R,step=S with KIND one of ${KINDS.join(", ")}`,
    });
  }
  return { kind, rank: Number(match?.groups?.["rank"]), step: Number(match?.groups?.["step"]) };
}

function strike(fault: Fault): void {
  switch (fault.kind) {
    case "crash":
      process.kill(process.pid, "SIGKILL");
      return;
    case "freeze":
      process.kill(process.pid, "SIGSTOP");
      return;
    case "hang":
      // Blocks this thread alone, for good: the communication thread goes on.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return;
    case "throw":
      throw new Error(`injected fault at rank ${fault.rank}, step ${fault.step}`);
  }
}
