import type { StartedEvent } from "../../shared/train-events.js";

type Value = StartedEvent["configuration"][string];

/**
 * The effective configuration for a person: what the job does, what was chosen and why, and where each setting came from. Pure.
 * @returns lines without their ends.
 */
export function describeConfiguration(event: StartedEvent): string[] {
  const { configuration, replicas, workers } = event;
  const sources = asRecord(configuration["sources"]);
  const setting = (label: string, name: string): string => {
    const source = sources[name];
    return `${label} ${show(configuration[name])}${source === undefined ? "" : ` (${show(source)})`}`;
  };
  const { kind, ...rates } = asRecord(configuration["optimizer"]);
  const optimizer = [show(kind), ...Object.entries(rates).map(([name, value]) => `${name} ${show(value)}`)].join(" ");
  const collective = show(configuration["collective"]);
  const several = collective === "ring" ? `ring over ${show(configuration["transport"])}` : `collective ${collective}`;
  const exchange = workers === 1 ? "no exchange: one worker" : several;
  return [
    `network: ${show(configuration["inputs"])} inputs, ${asList(configuration["layers"]).map(show).join(", ")}; loss ${show(configuration["loss"])}`,
    `data: ${show(configuration["data"])}, ${event.trainRows} training and ${event.testRows} test rows`,
    `settings: ${[setting("epochs", "epochs"), setting("batch size", "batchSize"), setting("seed", "seed")].join(", ")}, ${optimizer}`,
    `runs on: ${setting("workers", "workers")}, ${setting("replicas", "replicas")}; engine ${engineOf(configuration)}; ${exchange}`,
    `the result's bits belong to ${replicas} replicas: they are the same on 1 to ${replicas} workers with --replicas ${replicas}`,
  ];
}

/** e.g. `tensorflow, 2 threads (auto: the fastest that is here)`. */
function engineOf(configuration: StartedEvent["configuration"]): string {
  const { engine, engineReason, threads } = configuration;
  const source = asRecord(configuration["sources"])["engine"];
  const isAuto = source === undefined || source === "default" || engine === "auto";
  const several = typeof threads === "number" && threads > 1 ? `, ${threads} threads` : "";
  const undecided = "the fastest that all workers will have";
  const why = engine === "auto" ? undecided : isAuto ? (engineReason ?? null) : null;
  const reason = why === null ? ` (${show(source)})` : ` (auto: ${show(why)})`;
  return `${show(engine)}${several}${source === undefined && why === null ? "" : reason}`;
}

function asRecord(value: Value | undefined): Readonly<Record<string, Value>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function asList(value: Value | undefined): readonly Value[] {
  return Array.isArray(value) ? value : [];
}

function show(value: Value | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
