import { layoutOf } from "../../shared/arena-layout.js";
import { ModelSpecSchema } from "../../shared/model-spec.js";
import { createEngine } from "../engine/create-engine.js";
import { LEFT_ELEMENT, type MatrixProduct, RIGHT_ELEMENT } from "./matrix-product.js";

const SIZE = 512;

/** A product by way of one dense layer, for engines that have no binding to ask. @throws RingstrasseError as the engine does */
export async function openEngineProduct(name: string): Promise<MatrixProduct> {
  const model = ModelSpecSchema.parse({
    inputs: SIZE,
    layers: [{ kind: "dense", name: "product", units: SIZE, activation: "linear", initialBias: 0 }],
    loss: "meanSquaredError",
    targets: { kind: "values", outputs: SIZE },
  });
  const layout = layoutOf(model);
  const engine = await createEngine(name, model, layout);
  const parameters = new Float32Array(layout.paddedLength);
  const [kernel] = layout.slots;
  if (kernel === undefined) throw new RangeError("a dense layer has a kernel");
  parameters.fill(RIGHT_ELEMENT, kernel.offset, kernel.offset + kernel.length);
  engine.loadParameters(parameters);
  const x = new Float32Array(SIZE * SIZE).fill(LEFT_ELEMENT);
  return {
    version: engine.identity.version,
    device: "cpu",
    size: SIZE,
    multiply: async (count) => {
      let element: number | undefined;
      for (let done = 0; done < count; done++) element = (await engine.predict(x, SIZE)).at(-1);
      return element ?? Number.NaN;
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
