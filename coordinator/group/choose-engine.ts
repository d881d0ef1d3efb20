import { ENGINE_PREFERENCE, type EngineName, type EngineWish, installCommandOf } from "../../shared/engine-name.js";
import { hasPrecision } from "../../shared/engine-precision.js";
import type { Failure } from "../../shared/failure.js";
import { float32Only } from "../../shared/float32-only.js";
import type { PlannedJobSpec } from "../../shared/job-spec.js";
import type { EngineFacts } from "../../shared/protocol/control-message.js";
import type { Precision } from "../../shared/step-rules.js";
import type { JoinMessage } from "./control-server.js";
import { engineOf, findMixture } from "./engine-compatibility.js";

/** What a job wants its replicas to be computed with. */
export interface EngineNeed {
  readonly engine: EngineWish;
  /** Of one computation. */
  readonly threads: number;
  readonly precision: Precision;
}

export type EngineDecision =
  /** All workers have it, and alike. */
  | { readonly kind: "chosen"; readonly engine: EngineFacts; readonly reason: string }
  | { readonly kind: "impossible"; readonly failure: Failure };

/** Pure. */
export function engineNeedOf({ engine, threads, stepRules }: PlannedJobSpec): EngineNeed {
  return { engine, threads, precision: stepRules.precision };
}

/**
 * The engine that these workers train with: the one that was asked for, with `auto` the fastest that all of them have alike and that
 * has the precision, so that one job never mixes engines. Pure. Cost: O(workers × engines).
 * @param joins at least one, in the order in which they joined: of a mixture the later one is refused
 */
export function chooseEngine(need: EngineNeed, joins: readonly JoinMessage[]): EngineDecision {
  if (need.engine !== "auto") return tryEngine(need.engine, need, joins);
  const passed: Extract<EngineDecision, { kind: "impossible" }>[] = [];
  const reasons: string[] = [];
  for (const name of ENGINE_PREFERENCE) {
    const decision = tryEngine(name, need, joins);
    if (decision.kind === "impossible") {
      passed.push(decision);
      reasons.push(`${name}: ${brief(decision.failure)}`);
      continue;
    }
    const { engine } = decision;
    return { kind: "chosen", engine, reason: ["the fastest that all workers have", ...reasons].join("; ") };
  }
  const { precision } = need;
  const isSomewhere = joins.some(({ engines }) => engines.some(({ name }) => hasPrecision(name, precision)));
  if (!isSomewhere) return { kind: "impossible", failure: float32Only(precision).failure };
  // Of all that was tried, the engine that the workers could most easily have in common.
  const mixture =
    passed.find(({ failure }) => failure.code === "WORKER_REFUSED") ??
    passed.findLast(({ failure }) => failure.code === "ENGINE_UNAVAILABLE");
  if (mixture === undefined) throw new RangeError("there are engines to try");
  return need.threads > 1 && mixture.failure.code !== "WORKER_REFUSED" ? missingThreads(need, joins) : mixture;
}

function tryEngine(
  name: EngineName,
  { threads, precision }: EngineNeed,
  joins: readonly JoinMessage[],
): EngineDecision {
  if (!hasPrecision(name, precision)) return { kind: "impossible", failure: float32Only(precision).failure };
  const without = joins.find((join) => engineOf(join, name)?.threads !== threads);
  if (without !== undefined) return { kind: "impossible", failure: missingEngine(name, threads, without) };
  const [first, ...others] = joins;
  const engine = first === undefined ? undefined : engineOf(first, name);
  if (first === undefined || engine === undefined) throw new RangeError("an engine is chosen for no worker");
  for (const other of others) {
    const failure = findMixture(first, other, name);
    if (failure !== null) return { kind: "impossible", failure };
  }
  return { kind: "chosen", engine, reason: `${name} was asked for` };
}

function missingEngine(name: EngineName, threads: number, join: JoinMessage): Failure {
  const command = installCommandOf(name);
  const start = `start the worker with --engine ${name}${threads > 1 ? ` --threads ${threads}` : ""}`;
  const installed = engineOf(join, name) !== undefined;
  const remedy =
    name === "wasm" && threads > 1
      ? "wasm computes with one thread: leave --threads out, or use --engine tensorflow"
      : command === null || installed
        ? `On ${join.host} ${start}`
        : `On ${join.host} run: ${command}; and ${start}`;
  return { code: "ENGINE_UNAVAILABLE", engine: name, problem: whatIsMissing(name, threads, join), remedy };
}

function whatIsMissing(name: EngineName, threads: number, join: JoinMessage): string {
  const wanted = `${name} with ${counted(threads)}`;
  return `worker ${join.workerId} on ${join.host} has not got ${wanted}, but ${join.engines.map(described).join(" and ")}`;
}

function missingThreads({ threads }: EngineNeed, joins: readonly JoinMessage[]): EngineDecision {
  const join = joins.find(({ engines }) => engines.every((engine) => engine.threads !== threads)) ?? joins.at(-1);
  const problem =
    join === undefined
      ? `no worker computes with ${counted(threads)}`
      : `worker ${join.workerId} on ${join.host} has no engine with ${counted(threads)}, but ${join.engines.map(described).join(" and ")}`;
  const remedy = `Start the workers with --engine tensorflow --threads ${threads}, or leave --threads out`;
  return { kind: "impossible", failure: { code: "ENGINE_UNAVAILABLE", engine: "auto", problem, remedy } };
}

function described({ name, threads }: EngineFacts): string {
  return `${name} with ${counted(threads)}`;
}

function counted(threads: number): string {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}

/** For the reason of another choice. */
function brief(failure: Failure): string {
  if (failure.code === "WORKER_REFUSED") return `not alike on all hosts (${failure.what})`;
  return failure.code === "CHOICE_UNSUPPORTED" ? "float32 alone" : "not on all workers";
}
