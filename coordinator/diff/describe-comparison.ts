import { unreachable } from "../../shared/unreachable.js";
import type { Both, ConfigurationDifference, EntryPosition, FirstDifference, RunComparison } from "./run-difference.js";

const MOST_TENSORS = 8;

/** The comparison for a person: lines of text, the result first. Pure. */
export function describeComparison(names: Both<string>, comparison: RunComparison): string {
  const { result } = comparison;
  switch (result.kind) {
    case "identical":
      return lines([`identical, up to ${place(result.at)}`, ...configurationLines(comparison.configuration, false)]);
    case "shorter": {
      const shorter = names[result.shorter];
      const equal =
        result.lastEqual === null ? "before anything can be compared" : `identical up to ${place(result.lastEqual)}`;
      return lines([
        `${equal}; there ${shorter} ends, the other run goes on`,
        ...configurationLines(comparison.configuration, true),
      ]);
    }
    case "different":
      return lines([
        ...differenceLines(result.difference),
        ...stepHint(result.difference, comparison.stepsCompared),
        ...configurationLines(comparison.configuration, true),
      ]);
    case "incomparable":
      return lines([describeIncomparable(result.reasons, comparison.configuration)]);
    default:
      return unreachable(result);
  }
}

/** One line: it becomes a part of an error message. */
function describeIncomparable(reasons: readonly string[], configuration: readonly ConfigurationDifference[]): string {
  const others = configuration.filter(({ name, numeric }) => numeric && name !== "replicas");
  const listed = others.map(({ name, a, b }) => `${name} ${a} and ${b}`).join("; ");
  return `can't be compared: ${reasons.join("; ")}${listed === "" ? "" : ` (other differences: ${listed})`}`;
}

function differenceLines(difference: FirstDifference): string[] {
  const { stage, replica, block, tensors, differingBlocks, blockCount, hashes, lastEqual } = difference;
  const at = stage === "initial" ? "before the first step" : place(difference);
  const found = [`first difference: ${at}: ${describeStage(difference)}`];
  if (replica !== null) found.push(`  replica ${replica}`);
  if (block !== null) {
    const names = tensors.slice(0, MOST_TENSORS).join(", ") + (tensors.length > MOST_TENSORS ? ", …" : "");
    found.push(`  block ${block} (${names}); ${differingBlocks} of ${blockCount} blocks differ`);
  }
  found.push(`  hashes ${hashes.a} and ${hashes.b}`);
  if (lastEqual !== null) found.push(`  last identical: ${place(lastEqual)}`);
  return found;
}

function describeStage({ stage, stateName }: FirstDifference): string {
  switch (stage) {
    case "initial":
      return "the initial parameters differ";
    case "rows":
      return "a replica was given other rows (data, seed, batch size or order)";
    case "gradient":
      return "rows alike, but a replica computed another gradient (engine, instruction set or threads)";
    case "update":
      return "rows and gradients alike, but the updated parameters differ (fold over the replicas, or optimizer)";
    case "parameters":
      return "the parameters differ";
    case "state":
      return `parameters alike, but the optimizer's ${stateName ?? "state"} differs`;
    default:
      return unreachable(stage);
  }
}

function stepHint({ stage }: FirstDifference, stepsCompared: boolean): string[] {
  if (stepsCompared || stage === "initial") return [];
  return ["  to name the step, replica and tensor, run both again with `--block-hashes step`"];
}

function configurationLines(differences: readonly ConfigurationDifference[], withMachinery: boolean): string[] {
  const listed = withMachinery ? differences : differences.filter(({ numeric }) => numeric);
  if (listed.length === 0) return withMachinery ? ["the configurations are the same"] : [];
  const describe = ({ name, a, b, numeric }: ConfigurationDifference) =>
    `  ${name}: ${a} and ${b}${numeric ? "" : " (should not matter)"}`;
  return ["the configurations differ:", ...listed.map(describe)];
}

function place({ epoch, step }: EntryPosition): string {
  return step === 0 ? "the initial parameters" : `epoch ${epoch}, step ${step}`;
}

function lines(texts: readonly string[]): string {
  return `${texts.join("\n")}\n`;
}
