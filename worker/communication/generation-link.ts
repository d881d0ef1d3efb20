import { deferred } from "../../shared/deferred.js";
import { type Failure, RingstrasseError } from "../../shared/failure.js";
import type { FromCoordinator } from "../../shared/protocol/control-message.js";

export type Assignment = Extract<FromCoordinator, { kind: "assign" }>;

/** What the coordinator says about a generation after it has assigned it: that it is over, and why. */
export class GenerationLink {
  readonly assignment: Assignment;
  readonly #over = new AbortController();
  readonly #verdict = deferred<Failure | null>();

  constructor(assignment: Assignment) {
    this.assignment = assignment;
  }

  /** Aborts when the generation is over, whatever the worker is doing then; the reason is a RingstrasseError. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Resolves when the worker may forget the generation: with the failure that ended it, null when it ended well. */
  verdict(): Promise<Failure | null> {
    return this.#verdict.promise;
  }

  /** @returns whether the message speaks of this generation. */
  released({ jobId, generation, failure }: Extract<FromCoordinator, { kind: "release" }>): boolean {
    if (jobId !== this.assignment.jobId || generation !== this.assignment.generation) return false;
    this.#over.abort(new RingstrasseError(failure ?? { code: "INTERRUPTED", signal: "the end of the job" }));
    this.#verdict.resolve(failure);
    return true;
  }

  /** The coordinator ends the worker as a whole. */
  stopped(): void {
    this.#over.abort(new RingstrasseError({ code: "INTERRUPTED", signal: "the end of the job" }));
    this.#verdict.resolve(null);
  }

  /** The link to the coordinator broke. */
  broken(reason: RingstrasseError): void {
    this.#over.abort(reason);
    this.#verdict.reject(reason);
  }
}
