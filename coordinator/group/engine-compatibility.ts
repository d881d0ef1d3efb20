import type { Failure } from "../../shared/failure.js";
import type { JoinMessage } from "./control-server.js";

/**
 * Whether a worker may train together with one that is in already: engine, version, instruction set and the result of a probe
 * computation must be alike, or their bits would differ. Pure. @returns the refusal, or null.
 */
export function findMixture(first: JoinMessage, joining: JoinMessage): Failure | null {
  const facts = [
    ["the engine", first.engine.name, joining.engine.name, "Start all workers with the same --engine"],
    [
      "the engine's version",
      first.engine.version,
      joining.engine.version,
      "Install the same version of ringstrasse on all hosts",
    ],
    [
      "the instruction set",
      first.engine.instructionSet,
      joining.engine.instructionSet,
      "Use hosts of one processor architecture: results would differ in their last bits",
    ],
    [
      "the result of the probe computation",
      first.engine.probeSha256,
      joining.engine.probeSha256,
      `Use the same Node version on all hosts (${first.host} has ${first.nodeVersion}, ${joining.host} has ${joining.nodeVersion})`,
    ],
  ] as const;
  const different = facts.find(([, expected, got]) => expected !== got);
  if (different === undefined) return null;
  const [what, expected, got, remedy] = different;
  const { workerId, host } = joining;
  return { code: "WORKER_REFUSED", workerId, host, what, expected: `${expected} as on ${first.host}`, got, remedy };
}
