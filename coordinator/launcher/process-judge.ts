import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { hostname } from "node:os";
import process from "node:process";
import { type Evaluation, type EvaluationLine, EvaluationLineSchema } from "../../shared/api/evaluation.js";
import { withoutOptions } from "../../shared/cli/without-options.js";
import { RingstrasseError } from "../../shared/failure.js";
import { EVALUATION_LIMIT_MS, evaluationTimeout } from "../service/evaluation-limit.js";
import type { JudgeRequest, ModelJudge } from "../service/model-judge.js";
import { lastWords } from "./last-words.js";
import { describeExit } from "./launcher.js";

/** Of its output: a matrix of 1000 classes has a million cells. */
const MOST_CHARS = 32 * 2 ** 20;
const KEPT_WORDS = 8000;

export interface ProcessJudgeOptions {
  /** The compiled command, which is run with `predict …`. */
  readonly entry: string;
  /** For the process; its `RINGSTRASSE_…` variables are the server's own, and stay here, but for the one that says where engines are. */
  readonly environment: NodeJS.ProcessEnv;
  /** How long one model may take; default 100 s. */
  readonly limitMs?: number;
}

/**
 * Judges each model in a process of its own, which ends with the call: by itself, or killed. The process holds the read end of a pipe as
 * its stdin and ends when that closes, so none outlives this one.
 */
export class ProcessJudge implements ModelJudge {
  readonly #options: ProcessJudgeOptions;

  constructor(options: ProcessJudgeOptions) {
    this.#options = options;
  }

  async judge(request: JudgeRequest, signal: AbortSignal): Promise<Evaluation> {
    signal.throwIfAborted();
    const { entry, environment, limitMs = EVALUATION_LIMIT_MS } = this.#options;
    const child = spawn(process.execPath, [entry, ...argumentsOf(request)], {
      stdio: ["pipe", "pipe", "pipe"],
      env: withoutOptions(environment),
    });
    let reason: unknown = null;
    const end = (why: unknown): void => {
      reason ??= why;
      child.kill("SIGKILL");
    };
    const onAbort = (): void => end(signal.reason);
    const timer = setTimeout(() => end(evaluationTimeout(limitMs)), limitMs);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const line = await outcomeOf(child, () => end(new RangeError(`more than ${MOST_CHARS} characters of output`)));
      if (reason !== null) throw reason;
      if ("failure" in line) throw new RingstrasseError(line.failure);
      return line;
    } catch (thrown) {
      throw reason ?? thrown;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }
}

function argumentsOf({ modelDirectory, rows }: JudgeRequest): string[] {
  const place =
    rows.kind === "prepared"
      ? [`--row-file=${rows.rowFile}`]
      : [`--data=${rows.dataPath}`, ...(rows.labelsPath === null ? [] : [`--labels=${rows.labelsPath}`])];
  return ["predict", modelDirectory, ...place, "--evaluate", "--json", "--exit-with-parent"];
}

/** What the process says when it has ended. @throws RingstrasseError LAUNCH_FAILED, INTERNAL */
async function outcomeOf(child: ChildProcess, tooMuch: () => void): Promise<EvaluationLine> {
  // Writing never happens; a process that is gone must not raise EPIPE here.
  child.stdin?.on("error", () => child.stdin?.destroy());
  let output = "";
  let words = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    if (output.length + text.length > MOST_CHARS) tooMuch();
    else output += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-KEPT_WORDS);
  });
  const [exitCode, signal] = await once(child, "close").catch((cause: unknown) => {
    throw notStarted(cause);
  });
  const line = output.startsWith("{") ? EvaluationLineSchema.safeParse(parseJson(output)) : null;
  if (line?.success === true) return line.data;
  const how = describeExit({ exitCode, signal, lastWords: null });
  const said = lastWords(words);
  const problem = `the process that judges a model ended without a result (${how})${said === null ? "" : `: ${said}`}`;
  throw new RingstrasseError({ code: "INTERNAL", problem }, { cause: line?.error });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Cut off in the middle: the schema's refusal says so.
    return null;
  }
}

function notStarted(cause: unknown): RingstrasseError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  const remedy = "Check the limits on processes and memory of this host (ulimit -u, free -m)";
  return new RingstrasseError({ code: "LAUNCH_FAILED", host: hostname(), problem, remedy }, { cause });
}
