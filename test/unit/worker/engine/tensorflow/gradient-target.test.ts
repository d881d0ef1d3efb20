import { describe, expect, it } from "vitest";
import { compileStepGraph } from "../../../../../worker/engine/graph/step-graph.js";
import { GradientTarget } from "../../../../../worker/engine/tensorflow/gradient-target.js";
import type { NativeBinding } from "../../../../../worker/engine/tensorflow/native-binding.js";
import { NativeSession } from "../../../../../worker/engine/tensorflow/native-session.js";
import { example, network } from "../../../../support/tiny-networks.js";

const { model, layout } = example(
  network({
    inputs: 2,
    hidden: [3],
    hiddenActivation: "tanh",
    outputs: 1,
    lastActivation: "linear",
    loss: "meanSquaredError",
    targets: "values",
  }),
  1,
);

/** A library that computes on copies of what it is fed, as that for GPUs does: each gradient is 7 everywhere. */
function copyingLibrary() {
  const tensors = new Map<number, Float32Array>();
  const counts = { made: 0, proofs: 0 };
  const create = (values: Float32Array): number => {
    counts.made++;
    tensors.set(counts.made, values);
    return counts.made;
  };
  const binding: NativeBinding = {
    ["TF_Version"]: "0",
    ["TF_FLOAT"]: 1,
    ["TF_INT32"]: 3,
    createTensor: (_shape, _type, values) => create(Float32Array.from(values)),
    deleteTensor: (id) => tensors.delete(id),
    tensorDataSync: (id) => tensors.get(id) ?? new Float32Array(),
    loadSavedModel: () => 1,
    deleteSavedModel: () => undefined,
    runSavedModel: (_session, _inputs, _inputNames, outputNames) => {
      const names = outputNames.split(",");
      if (names[0]?.startsWith("probed")) counts.proofs++;
      const lengths = [1, ...layout.slots.map(({ length }) => length)];
      return names.map((_, index) => ({ id: create(new Float32Array(lengths[index] ?? 0).fill(7)) }));
    },
    isUsingGpuDevice: () => true,
    getNumOfTensors: () => tensors.size,
  };
  return { binding, counts };
}

describe("gradient target", () => {
  it("finds out once that the graph can't write in place, and fetches from then on", async () => {
    const { binding, counts } = copyingLibrary();
    const graph = compileStepGraph(model, layout);
    const location = { name: "tensorflow-gpu", bindingPath: "", libraryDirectory: "" } as const;
    using session = await NativeSession.open(binding, location, new Uint8Array());
    using target = new GradientTarget({ session, graph, layout, feeds: [], report: () => undefined });
    const step = (): Float32Array => {
      const into = new Float32Array(layout.paddedLength);
      binding.deleteTensor(target.run([], into));
      return into;
    };
    const first = step();
    for (const { offset, length } of layout.slots) {
      expect(first.subarray(offset, offset + length)).toEqual(new Float32Array(length).fill(7));
    }
    const { made, proofs } = counts;
    expect(proofs).toBe(1);
    expect(step()).toEqual(first);
    // What the step itself gives: its sums, and a gradient for each tensor.
    expect(counts).toEqual({ made: made + 1 + layout.slots.length, proofs });
    expect(binding.getNumOfTensors()).toBe(0);
  });
});
