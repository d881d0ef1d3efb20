import { describeFailure } from "../../shared/describe-failure.js";
import { toFailure } from "../../shared/failure.js";
import type { Finding, MachineCheck } from "./finding.js";

export interface Diagnosis {
  /** For stdout. */
  readonly text: string;
  readonly findings: readonly Finding[];
  /** 0, or 4 when something here doesn't work. */
  readonly exitCode: number;
}

const ENVIRONMENT_FAULT = 4;
const MARKS: Readonly<Record<Finding["status"], string>> = {
  ok: "ok",
  absent: "--",
  warning: "! ",
  problem: "!!",
};

/**
 * `ringstrasse doctor`: all checks, one after the other, since some of them measure. One that fails is a finding: what the others have found
 * is not lost with it. @throws RingstrasseError INTERRUPTED
 */
export async function diagnose(checks: readonly MachineCheck[], json: boolean): Promise<Diagnosis> {
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...(await check().catch((thrown: unknown) => [failed(thrown)])));
  const lines = findings.flatMap((finding) => (json ? [JSON.stringify(finding)] : linesOf(finding)));
  const isSick = findings.some(({ status }) => status === "problem");
  return { text: lines.join("\n"), findings, exitCode: isSick ? ENVIRONMENT_FAULT : 0 };
}

function failed(thrown: unknown): Finding {
  const failure = toFailure(thrown);
  if (failure.code === "INTERRUPTED") throw thrown;
  const found = `a check failed: ${describeFailure(failure)}`;
  const remedy = "What the others found holds; please report this as a defect of ringstrasse";
  return { check: "doctor", status: "problem", found, facts: {}, remedy };
}

function linesOf({ check, status, found, remedy }: Finding): string[] {
  const line = `${MARKS[status]}  ${check}: ${found}`;
  return remedy === null ? [line] : [line, `      ${remedy}`];
}
