import type { EngineName } from "../../shared/engine-name.js";
import type { Failure } from "../../shared/failure.js";
import type { EngineFacts } from "../../shared/protocol/control-message.js";
import type { JoinMessage } from "./control-server.js";

/** What a worker tells of one of its engines; undefined: it hasn't got it. */
export function engineOf(join: JoinMessage, name: EngineName): EngineFacts | undefined {
  return join.engines.find((engine) => engine.name === name);
}

/** Whether two workers compute the same bits with these engines. Pure. */
export function areAlike(one: EngineFacts, other: EngineFacts): boolean {
  const key = ({ name, version, instructionSet, threads, probeSha256 }: EngineFacts) =>
    JSON.stringify([name, version, instructionSet, threads, probeSha256]);
  return key(one) === key(other);
}

/**
 * Whether a worker may train with an engine together with one that is in already: version, instruction set, threads and the result of a
 * probe computation must be alike, or their bits would differ. Both have the engine. Pure. @returns the refusal, or null.
 */
export function findMixture(first: JoinMessage, joining: JoinMessage, name: EngineName): Failure | null {
  const [here, there] = [engineOf(first, name), engineOf(joining, name)];
  if (here === undefined || there === undefined) throw new RangeError(`a worker has no ${name}`);
  const facts = [
    [
      "the engine's version",
      here.version,
      there.version,
      `Install the same version of ringstrasse on all hosts, and with it the same engine (${name})`,
    ],
    [
      "the instruction set",
      here.instructionSet,
      there.instructionSet,
      "Use hosts with the same kind of processor: results would differ in their last bits",
    ],
    ["the number of threads", String(here.threads), String(there.threads), "Start all workers with the same --threads"],
    [
      "the result of the probe computation",
      here.probeSha256,
      there.probeSha256,
      `Use the same Node version and the same kind of processor on all hosts (${first.host} has ${first.nodeVersion}, ${joining.host} has ${joining.nodeVersion})`,
    ],
  ] as const;
  const different = facts.find(([, expected, got]) => expected !== got);
  if (different === undefined) return null;
  const [what, expected, got, remedy] = different;
  const { workerId, host } = joining;
  return { code: "WORKER_REFUSED", workerId, host, what, expected: `${expected} as on ${first.host}`, got, remedy };
}
