import type { StartedEvent } from "../../shared/train-events.js";
import { describeRounds } from "./describe-rounds.js";

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
  const optimizer = describeKind(asRecord(configuration["optimizer"]));
  const steps = describeSteps(configuration);
  const rounds = describeRounds(configuration);
  const collective = show(configuration["collective"]);
  const several = collective === "ring" ? `ring over ${show(configuration["transport"])}` : `collective ${collective}`;
  const mode = configuration["mpiMode"] === "allreduce" ? ", mode allreduce" : "";
  const checkpoints = describeCheckpoints(asRecord(configuration["checkpoints"]));
  const encrypted = configuration["encrypt"] === true ? ", links over tcp encrypted" : "";
  const exchange = workers === 1 ? "no exchange: one worker" : `${several}${mode}${encrypted}`;
  return [
    `network: ${show(configuration["inputs"])} inputs, ${asList(configuration["layers"]).map(show).join(", ")}; loss ${show(configuration["loss"])}`,
    `data: ${show(configuration["data"])}, ${event.trainRows} training and ${event.testRows} test rows`,
    `settings: ${[setting("epochs", "epochs"), setting("batch size", "batchSize"), setting("seed", "seed")].join(", ")}, ${optimizer}`,
    ...(steps === null ? [] : [`steps: ${steps}`]),
    ...(rounds === null ? [] : [`strategy: ${rounds}`]),
    ...(checkpoints === null ? [] : [`checkpoints: ${checkpoints}`]),
    `runs on: ${setting("workers", "workers")}, ${setting("replicas", "replicas")}; engine ${engineOf(configuration)}; ${exchange}`,
    bitsOf(configuration, replicas),
  ];
}

/** What the result's bits depend on. */
function bitsOf({ strategy, mpiMode }: StartedEvent["configuration"], replicas: number): string {
  if (strategy === "async")
    return "the result's bits depend on who is when done: asynchronous training gives other ones every time";
  if (mpiMode === "allreduce") return "the result's bits depend on the number of workers: MPI adds in its own order";
  return `the result's bits belong to ${replicas} replicas: they are the same on 1 to ${replicas} workers with --replicas ${replicas}`;
}

/** e.g. `after every 100 steps; the last 3 stay`; null: none but when the run is told to end. */
function describeCheckpoints({
  everySteps,
  everyEpochs,
  everyMs,
  keep,
}: Readonly<Record<string, Value>>): string | null {
  const parts = [
    typeof everySteps === "number" ? `${everySteps} steps` : null,
    typeof everyEpochs === "number" ? `${everyEpochs} epochs` : null,
    typeof everyMs === "number" ? `${everyMs / 60_000} minutes` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : `after every ${parts.join(", and every ")}; the last ${show(keep)} stay`;
}

/** How steps are cut, exchanged and applied, where that is anything but plain; e.g. `accumulate 4 (flag), clip norm 1 (document)`. */
function describeSteps(configuration: StartedEvent["configuration"]): string | null {
  const sources = asRecord(configuration["sources"]);
  const told = (name: string, text: string) => `${text} (${show(sources[name])})`;
  const { accumulate, clipNorm, precision, warmUpSteps, compress, topkFraction } = configuration;
  const schedule = asRecord(configuration["schedule"]);
  const scaling = asRecord(configuration["learningRateScaling"]);
  const lossScale = asRecord(configuration["lossScale"]);
  const parts = [
    isPlain(accumulate, 1) ? null : told("accumulate", `${show(accumulate)} micro-batches each`),
    isPlain(clipNorm, null) ? null : told("clipNorm", `gradients clipped to norm ${show(clipNorm)}`),
    isPlain(precision, "float32") ? null : told("precision", `products in ${show(precision)}`),
    isPlain(schedule["kind"], "constant") ? null : told("schedule", `schedule ${describeKind(schedule)}`),
    isPlain(warmUpSteps, 0) ? null : told("warmUp", `warm-up over ${show(warmUpSteps)} steps`),
    scaling["learningRate"] === undefined ? null : told("learningRateScaling", describeScaling(scaling)),
    isPlain(compress, "none") || compress === "topk" ? null : told("compress", `gradients sent in ${show(compress)}`),
    compress === "topk" ? told("compress", `only the largest gradients sent, a share of ${show(topkFraction)}`) : null,
    lossScale["kind"] === undefined ? null : told("lossScale", `loss scale ${describeKind(lossScale)}`),
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(", ");
}

/** Also where it is absent: such a run was described by a version that had nothing else. */
function isPlain(value: Value | undefined, plain: Value): boolean {
  return value === undefined || value === plain;
}

/** `learning rate 0.1 times 64 / 16, the rows of a step by those it is meant for` */
function describeScaling({ learningRate, batchSize, referenceBatch }: Readonly<Record<string, Value>>): string {
  const factor = `${show(batchSize)} / ${show(referenceBatch)}`;
  return `learning rate ${show(learningRate)} times ${factor}, the rows of a step by those it is meant for`;
}

/** `cosine final 0` */
function describeKind({ kind, ...details }: Readonly<Record<string, Value>>): string {
  return [show(kind), ...Object.entries(details).map(([name, value]) => `${name} ${show(value)}`)].join(" ");
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
