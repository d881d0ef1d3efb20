import { connect } from "node:net";
import { deferred } from "../../shared/deferred.js";
import { describeFailure } from "../../shared/describe-failure.js";
import { exitCodeOf, type Failure, RingstrasseError } from "../../shared/failure.js";
import {
  type LifelineNonces,
  lifelineKey,
  proofOfRankHere,
  proofOfWelcome,
} from "../../shared/launch/lifeline-proof.js";
import { LifelineWords } from "../../shared/launch/lifeline-words.js";
import { LineSocket } from "../../shared/launch/line-socket.js";
import { isProof, newNonce } from "../../shared/launch/proof.js";
import {
  type FromRank,
  LAST_WORDS_CHARACTERS,
  LifelineChallengeSchema,
  type MeetingPoint,
  type RankHere,
  type RankIdentity,
  RankWelcomeSchema,
  ToRankSchema,
} from "../../shared/launch/rank-messages.js";
import { understood } from "../../shared/launch/understood.js";

/** The process that a lifeline is of; its clock is read when it is asked. */
export type LifelineOwner = Omit<RankIdentity, "clockMs">;

/**
 * A rank's connection to its coordinator, for the life of the process: while it stands the process is there, and at its end comes the
 * run's exit code.
 */
export class Lifeline implements Disposable {
  readonly #line: LineSocket;
  readonly #own: LifelineWords;
  readonly #endpoint: string;
  readonly #exitCode = deferred<number>();
  readonly #broken = new AbortController();

  private constructor(line: LineSocket, own: LifelineWords, endpoint: string) {
    this.#line = line;
    this.#own = own;
    this.#endpoint = endpoint;
  }

  /** Aborts when the coordinator is gone or has given this rank up; the reason is a RingstrasseError. */
  get signal(): AbortSignal {
    return this.#broken.signal;
  }

  /**
   * Resolves when the coordinator knows this rank. Both show that they have the run's token, which isn't sent.
   * @param clock this host's, in milliseconds since 1970
   * @throws RingstrasseError COORDINATOR_LOST
   */
  static async open(
    { lifeline: at, token }: Pick<MeetingPoint, "lifeline" | "token">,
    owner: LifelineOwner,
    clock: () => number = Date.now,
  ): Promise<Lifeline> {
    const endpoint = "path" in at ? at.path : `${at.host}:${at.port}`;
    const line = new LineSocket(connect(at));
    const key = lifelineKey(token);
    try {
      const nonces = await enter(line, key, { ...owner, clock });
      const lifeline = new Lifeline(line, new LifelineWords(key, nonces, "rank"), endpoint);
      void lifeline.#hear(new LifelineWords(key, nonces, "coordinator"));
      return lifeline;
    } catch (cause) {
      line[Symbol.dispose]();
      throw lost(endpoint, cause);
    }
  }

  /** This rank was sent a signal. */
  signalled(signal: string): void {
    this.#tell({ kind: "signal", signal });
  }

  /**
   * This rank's work is over. @param failure of its own, null: none.
   * @param patienceMs how long a coordinator that this rank has lost may need for its answer; null: it is on this host, and its end is seen
   * @returns with what code all ranks exit
   * @throws RingstrasseError COORDINATOR_LOST
   */
  async done(failure: Failure | null, patienceMs: number | null = null): Promise<number> {
    const exitCode = failure === null ? 0 : exitCodeOf(failure.code);
    const lastWords = failure === null ? null : describeFailure(failure).slice(0, LAST_WORDS_CHARACTERS);
    this.#tell({ kind: "done", exitCode, lastWords });
    return failure?.code === "COORDINATOR_LOST" && patienceMs !== null
      ? await this.#exitCodeWithin(patienceMs, failure)
      : await this.#exitCode.promise;
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }

  /** Its host may have vanished: what has been sent would be sent again for a quarter of an hour before this end heard of it. */
  async #exitCodeWithin(patienceMs: number, failure: Failure): Promise<number> {
    const given = deferred<never>();
    const timer = setTimeout(() => given.reject(new RingstrasseError(failure)), patienceMs);
    try {
      return await Promise.race([this.#exitCode.promise, given.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #tell(message: FromRank): void {
    this.#line.send(this.#own.sign(message));
  }

  async #hear(words: LifelineWords): Promise<void> {
    try {
      for (;;) {
        const said = words.heard(await this.#line.next(null));
        this.#exitCode.resolve(understood(ToRankSchema, said).exitCode);
      }
    } catch (cause) {
      const why = lost(this.#endpoint, cause);
      this.#exitCode.reject(why);
      this.#broken.abort(why);
      this.#line[Symbol.dispose]();
    }
  }
}

/** @throws Error when the coordinator is another's, hangs up, or says what doesn't belong here */
async function enter(
  line: LineSocket,
  key: Buffer,
  owner: LifelineOwner & { readonly clock: () => number },
): Promise<LifelineNonces> {
  const { rank, workerId, host, pid, clock } = owner;
  const challenge = understood(LifelineChallengeSchema, await line.next(null));
  const nonces = { coordinator: challenge.nonce, rank: newNonce() };
  const identity = { rank, workerId, host, pid, clockMs: clock() };
  const proof = proofOfRankHere(key, nonces, identity);
  line.send({ kind: "here", ...identity, nonce: nonces.rank, proof } satisfies RankHere);
  const welcome = understood(RankWelcomeSchema, await line.next(null));
  if (!isProof(welcome.proof, proofOfWelcome(key, nonces, rank))) throw new Error("it lacks the run's token");
  return nonces;
}

function lost(endpoint: string, cause: unknown): RingstrasseError {
  const problem = `the lifeline broke (${cause instanceof Error ? cause.message : String(cause)})`;
  return new RingstrasseError({ code: "COORDINATOR_LOST", endpoint, silentMs: null, problem }, { cause });
}
