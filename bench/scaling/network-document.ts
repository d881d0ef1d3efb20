import type { NetworkName } from "../train/networks.js";

interface Block {
  readonly id: string;
  readonly size: number;
}

/** Hidden blocks, named as ViNNSL tools name them: of a convolution the size is its filters (3 × 3), of a pooling its side. */
const HIDDEN: Readonly<Record<NetworkName, readonly Block[]>> = {
  mlp: [{ id: "Hidden1", size: 528 }],
  cnn: [
    { id: "Convolutional1", size: 32 },
    { id: "MaxPooling1", size: 2 },
    { id: "Convolutional2", size: 64 },
    { id: "MaxPooling2", size: 2 },
    { id: "Flatten", size: 1 },
    { id: "Denselayer1", size: 128 },
  ],
};

/** The ViNNSL document of a network of `bench:train`, for the product itself: 28 × 28 bytes in, ten classes out, plain gradient descent. */
export function networkDocument(name: NetworkName): string {
  const isFlat = name === "mlp";
  const input = block("input", { id: "Input1", size: 784 }, isFlat ? 1 : 28);
  const hidden = HIDDEN[name].map((one) => block("hidden", one));
  return `<?xml version="1.0" encoding="UTF-8"?>
<definition>
  <identifier>${name}</identifier>
  <problemDomain>
    <propagationType type="feedforward"><learningType>supervised</learningType></propagationType>
    <applicationField>Classification</applicationField>
    <networkType>${isFlat ? "Backpropagation" : "CNN"}</networkType>
    <problemType>Classifiers</problemType>
  </problemDomain>
  <endpoints>train</endpoints>
  <executionEnvironment><serial>true</serial></executionEnvironment>
  <structure>
    ${[input, ...hidden, block("output", { id: "Output1", size: 10 })].join("\n    ")}
    <connections><shortcuts><fromneuron/><toneuron/></shortcuts></connections>
  </structure>
  <resultSchema><instance>true</instance><training>true</training></resultSchema>
  <parameters>
    <valueparameter name="learningrate">0.1</valueparameter>
    <comboparameter name="activationfunction">relu</comboparameter>
    <valueparameter name="seed">0</valueparameter>
  </parameters>
  <data><description>generated digits</description></data>
</definition>
`;
}

function block(element: string, { id, size }: Block, dimension = 1): string {
  return `<${element}><ID>${id}</ID><dimension>${dimension}</dimension><size>${size}</size></${element}>`;
}
