import { createHash } from "node:crypto";
import { type ArenaLayout, hashTensors, layoutOf } from "../../shared/arena-layout.js";
import { EngineNameSchema } from "../../shared/engine-name.js";
import { type ModelSpec, ModelSpecSchema } from "../../shared/model-spec.js";
import type { EngineFacts } from "../../shared/protocol/control-message.js";
import { RANDOM_PURPOSE, RandomStream } from "../../shared/random/random-stream.js";
import { createEngine } from "./create-engine.js";
import type { EngineIdentity, MicroBatch } from "./engine.js";

/** Not a multiple of any vector width, so that remainders are computed too. */
const ROWS = 23;
const INPUTS = 37;
const CLASSES = 3;

/** Between them: all activations, hidden and last, and every function that the losses call. */
const HEADS = [
  { loss: "softmaxCrossEntropy", activation: "softmax" },
  { loss: "sigmoidCrossEntropy", activation: "sigmoid" },
  { loss: "meanSquaredError", activation: "tanh" },
] as const;

/**
 * Runs small fixed networks and hashes their gradients: engines that give different hashes (another version, processor or
 * library) would drift apart in one job, so the rendezvous refuses such a mixture. Takes some tens of milliseconds.
 * @param threads of one computation
 * @returns the engine's identity and the SHA-256, in lower-case hex, of what it computes
 * @throws RingstrasseError CHOICE_UNSUPPORTED, ENGINE_UNAVAILABLE
 */
export async function probeEngine(name: string, threads = 1): Promise<EngineFacts> {
  const hash = createHash("sha256");
  const identities: EngineIdentity[] = [];
  for (const head of HEADS) {
    const { identity, gradients } = await probeModel(name, threads, modelWith(head));
    identities.push(identity);
    hash.update(gradients);
  }
  const [identity] = identities;
  if (identity === undefined) throw new RangeError("nothing was probed");
  return { ...identity, name: EngineNameSchema.parse(identity.name), threads, probeSha256: hash.digest("hex") };
}

function modelWith({ loss, activation }: (typeof HEADS)[number]): ModelSpec {
  return ModelSpecSchema.parse({
    inputs: INPUTS,
    layers: [
      { kind: "dense", name: "a", units: 33, activation: "relu", initialBias: 0 },
      { kind: "dense", name: "b", units: 19, activation: "tanh", initialBias: 0 },
      { kind: "dense", name: "c", units: 17, activation: "sigmoid", initialBias: 0 },
      { kind: "dense", name: "d", units: 9, activation: "softmax", initialBias: 0 },
      { kind: "dense", name: "e", units: 5, activation: "linear", initialBias: 0 },
      { kind: "dense", name: "f", units: CLASSES, activation, initialBias: 0 },
    ],
    loss,
    targets: { kind: "class", classes: CLASSES },
  });
}

async function probeModel(
  name: string,
  threads: number,
  model: ModelSpec,
): Promise<{ identity: EngineIdentity; gradients: string }> {
  const layout = layoutOf(model);
  await using engine = await createEngine(name, model, layout, { threads });
  const random = new RandomStream({ seed: 0, purpose: RANDOM_PURPOSE.probe });
  const arena = new Float32Array(layout.paddedLength);
  engine.loadParameters(probeParameters(layout, random));
  const sums = await engine.computeGradients(probeRows(random), { epoch: 0, step: 0, replica: 0 }, arena);
  const scalars = new Float64Array([sums.lossSum, sums.correct]);
  const gradients = `${hashTensors(layout, arena)} ${Buffer.from(scalars.buffer).toString("hex")}`;
  return { identity: engine.identity, gradients };
}

function probeParameters(layout: ArenaLayout, random: RandomStream): Float32Array {
  const arena = new Float32Array(layout.paddedLength);
  for (const { offset, length } of layout.slots) {
    for (let index = offset; index < offset + length; index++) arena[index] = random.nextFloat() - 0.5;
  }
  return arena;
}

function probeRows(random: RandomStream): MicroBatch {
  const x = new Float32Array(ROWS * INPUTS);
  for (let index = 0; index < x.length; index++) x[index] = 4 * random.nextFloat() - 2;
  const classes = new Uint32Array(ROWS);
  for (let row = 0; row < ROWS; row++) classes[row] = random.nextBelow(CLASSES);
  return { count: ROWS, x, targets: { kind: "class", classes } };
}
