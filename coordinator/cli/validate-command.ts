import type { OptionValues } from "../../shared/cli/option-table.js";
import { exitCodeOf, type Failure, toFailure } from "../../shared/failure.js";
import { settleJob } from "../job/job-settings.js";
import { refuseContradictions } from "../job/wanted-collective.js";
import type { NetworkDefinition } from "../vinnsl/network-definition.js";
import { readNetwork } from "../vinnsl/read-network.js";
import { type NetworkSummary, summariseNetwork } from "../vinnsl/summarise-network.js";
import { type StrictFinding, validateStrict } from "../vinnsl/validate-strict.js";
import type { VALIDATE_COMMAND } from "./commands.js";
import { layerTable } from "./layer-table.js";
import { readInput } from "./read-input.js";

export interface ValidateOutcome {
  /** What to print on stdout. */
  readonly text: string;
  /** 0 sound, else that of the failure. */
  readonly exitCode: number;
}

/**
 * `ringstrasse validate`: the same reading as training does, and on request the schemas. Every finding is told, not only the first.
 * @throws RingstrasseError INPUT_MISSING; and, with neither `--json` nor findings of the schemas, what is wrong with the document.
 */
export async function validate(
  file: string,
  options: OptionValues<typeof VALIDATE_COMMAND.options>,
): Promise<ValidateOutcome> {
  const bytes = await readInput(file);
  const findings = options.strict === true ? await validateStrict(bytes, file) : [];
  const reading = read(bytes, file);
  // Without findings of the schemas to tell, the reader's own error says it all to a person.
  if ("failure" in reading && findings.length === 0 && options.json !== true) throw reading.thrown;
  const definition = "failure" in reading ? null : reading;
  const summary = options.summary === true && definition !== null ? summariseNetwork(definition) : null;
  const sound = findings.length === 0 && definition !== null;
  const report = { file, sound, strict: options.strict === true, findings, definition, summary };
  const text = options.json === true ? JSON.stringify(reportJson(report, reading)) : describe(report);
  const failure = "failure" in reading ? reading.failure : null;
  return { text, exitCode: sound ? 0 : failure === null ? 3 : exitCodeOf(failure.code) };
}

interface Report {
  readonly file: string;
  readonly sound: boolean;
  readonly strict: boolean;
  readonly findings: readonly StrictFinding[];
  readonly definition: NetworkDefinition | null;
  readonly summary: NetworkSummary | null;
}

type Refused = { readonly failure: Failure; readonly thrown: unknown };

/** Reads as training does, as far as it goes without the data and without workers. */
function read(bytes: Uint8Array, file: string): NetworkDefinition | Refused {
  try {
    const definition = readNetwork(bytes, file);
    const settings = settleJob({ definition, options: {}, sources: {}, file });
    refuseContradictions({ definition, settings, options: {} }, file);
    return definition;
  } catch (thrown) {
    return { failure: toFailure(thrown), thrown };
  }
}

function reportJson(report: Report, reading: NetworkDefinition | Refused): object {
  const { file, sound, findings, summary, definition } = report;
  const failure = "failure" in reading ? reading.failure : null;
  return {
    file,
    sound,
    findings,
    failure,
    warnings: definition?.warnings ?? [],
    ...(summary === null ? {} : { summary }),
  };
}

function describe({ file, sound, strict, findings, definition, summary }: Report): string {
  const lines = findings.map(({ line, elementPath, message }) => {
    const place = line === null ? file : `${file}:${line}`;
    return `${place}: ${elementPath === null ? "" : `${elementPath}: `}${message}`;
  });
  for (const warning of definition?.warnings ?? []) lines.push(`${file}: warning: ${warning}`);
  if (sound) lines.push(`${file}: sound${strict ? ", and valid against the schemas" : ""}`);
  else if (definition !== null) lines.push(`${file}: not valid against the schemas, but training would accept it`);
  if (summary !== null) lines.push(layerTable(summary));
  return lines.join("\n");
}
