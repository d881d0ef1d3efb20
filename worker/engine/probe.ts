import { createHash } from "node:crypto";
import { hashTensors, layoutOf } from "../../shared/arena-layout.js";
import { EngineNameSchema } from "../../shared/engine-name.js";
import type { EngineFacts } from "../../shared/protocol/control-message.js";
import { createEngine } from "./create-engine.js";
import type { EngineIdentity } from "./engine.js";
import { type ProbeModel, probeInputs, probeModels } from "./probe-models.js";

/**
 * Computes {@link probeModels} and hashes their gradients: engines that give different hashes (another version, processor or
 * library) would drift apart in one job, so the rendezvous refuses such a mixture. Takes 20 to 50 ms of processor time with wasm. With a
 * native engine 650 in a fresh process, loading the library included, and 230 in one that has probed before: TensorFlow takes its time to
 * prepare three graphs, and 10 to compute them.
 * @param threads of one computation
 * @returns the engine's identity and the SHA-256, in lower-case hex, of what it computes
 * @throws RingstrasseError CHOICE_UNSUPPORTED, ENGINE_UNAVAILABLE
 */
export async function probeEngine(name: string, threads = 1): Promise<EngineFacts> {
  const hash = createHash("sha256");
  const identities: EngineIdentity[] = [];
  for (const probed of probeModels(name)) {
    const { identity, gradients } = await probeModel(name, threads, probed);
    identities.push(identity);
    hash.update(gradients);
  }
  const [identity] = identities;
  if (identity === undefined) throw new RangeError("nothing was probed");
  return { ...identity, name: EngineNameSchema.parse(identity.name), threads, probeSha256: hash.digest("hex") };
}

async function probeModel(
  name: string,
  threads: number,
  probed: ProbeModel,
): Promise<{ identity: EngineIdentity; gradients: string }> {
  const layout = layoutOf(probed.model);
  await using engine = await createEngine(name, probed.model, layout, { threads });
  const { parameters, batch } = probeInputs(probed, layout);
  const arena = new Float32Array(layout.paddedLength);
  engine.loadParameters(parameters);
  const sums = await engine.computeGradients(batch, { epoch: 0, step: 0, replica: 0 }, arena);
  const scalars = new Float64Array([sums.lossSum, sums.correct]);
  const gradients = `${hashTensors(layout, arena)} ${Buffer.from(scalars.buffer).toString("hex")}`;
  return { identity: engine.identity, gradients };
}
