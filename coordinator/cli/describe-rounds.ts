import type { StartedEvent } from "../../shared/train-events.js";

/**
 * How replicas come to common parameters, for people; null: by an exchange in every step. Pure.
 * e.g. `local-sgd (flag), an exchange after 8 steps (default) and after each epoch; …`
 */
export function describeRounds(configuration: StartedEvent["configuration"]): string | null {
  if (configuration["strategy"] === "async") return describeAsync(configuration);
  const { strategy, syncEvery, stepsOfRound, outerLearningRate, outerMomentum, copySizeBytes } = configuration;
  if (strategy !== "local-sgd" || typeof syncEvery !== "number") return null;
  const told = sourceTeller(configuration);
  const exchanges = told("syncEvery", `an exchange after ${syncEvery} steps`);
  // Whoever asks for longer rounds than there can be should know.
  const shorter = stepsOfRound === syncEvery ? "" : `, which has only ${String(stepsOfRound)}`;
  return [
    `${told("strategy", strategy)}, ${exchanges} and after each epoch${shorter}`,
    told("outerLearningRate", `outer learning rate ${String(outerLearningRate)}`),
    told("outerMomentum", `outer momentum ${String(outerMomentum)}`),
    `each replica's own copies take ${megabytes(Number(copySizeBytes))}`,
  ].join("; ");
}

function describeAsync(configuration: StartedEvent["configuration"]): string {
  const told = sourceTeller(configuration);
  const ahead = `no worker more than ${String(configuration["maxStaleness"])} steps ahead of the slowest`;
  return `${told("strategy", "async")}, ${told("maxStaleness", ahead)}`;
}

/** Adds to a text where its setting came from. */
function sourceTeller({ sources }: StartedEvent["configuration"]): (name: string, text: string) => string {
  return (name, text) => {
    const source = isRecord(sources) ? sources[name] : undefined;
    return typeof source === "string" ? `${text} (${source})` : text;
  };
}

function megabytes(bytes: number): string {
  return bytes < 1e5 ? `${bytes} bytes` : `${(bytes / 1e6).toPrecision(3)} MB`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
