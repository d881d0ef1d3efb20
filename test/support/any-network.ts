import fc from "fast-check";

/** A network as a ViNNSL document has it. */
export interface AnyNetwork {
  /** A `<definition>` that reads without fail. */
  readonly xml: string;
  /** Hidden blocks, and how many of them are layers of images. */
  readonly blocks: number;
  readonly images: number;
}

const side = fc.integer({ min: 1, max: 3 });
const activation = fc.constantFrom("sigmoid", "tanh", "relu", "linear", "softmax");
const padding = fc.constantFrom("same", "valid");

type Own = Readonly<Record<string, string>>;

/** Parameters of a block that may stand among images; sizes are such that it fits into any image, in `same` padding. */
const imageBlock: fc.Arbitrary<Own> = fc.oneof(
  fc
    .record({ filters: side, height: side, width: side, stride: side, padding, activation, batchnorm: fc.boolean() })
    .map(({ filters, height, width, stride, padding: pad, activation: function_, batchnorm }) => ({
      type: "convolution",
      filters: `${filters}`,
      kernel: pad === "same" ? `${height}x${width}` : "1x1",
      stride: `${stride}`,
      padding: pad,
      activation: function_,
      batchnorm: `${batchnorm}`,
    })),
  fc
    .record({ type: fc.constantFrom("maxpooling", "avgpooling"), side, stride: side })
    .map(({ type, side: window, stride }) => ({
      type,
      window: `${window}`,
      stride: `${stride}`,
      padding: "same",
    })),
);
const anyBlock: fc.Arbitrary<Own> = fc.oneof(
  fc.record({ type: fc.constant("activation"), activation }),
  fc.record({ type: fc.constant("dropout"), rate: fc.constantFrom("0", "0.25", "0.5") }),
  fc.constant({ type: "batchnormalization" }),
);
const flatBlock: fc.Arbitrary<Own> = fc
  .record({ units: fc.integer({ min: 1, max: 5 }), activation, batchnorm: fc.boolean() })
  .map(({ units, activation: function_, batchnorm }) => ({
    type: "dense",
    units: `${units}`,
    activation: function_,
    batchnorm: `${batchnorm}`,
  }));

/**
 * Any small network: layers of images, then a flattening, then layers of flat rows, each kind mixed with those that take both; shortcuts to
 * dense blocks and the output from anywhere before.
 */
export const anyNetwork: fc.Arbitrary<AnyNetwork> = fc
  .record({
    image: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 })),
    first: fc.array(fc.oneof(imageBlock, anyBlock), { maxLength: 4 }),
    second: fc.array(fc.oneof(flatBlock, anyBlock), { maxLength: 4 }),
    wanted: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 4 }),
  })
  .map(({ image, first, second, wanted }) => {
    const hidden = [...first, { type: "flatten" }, ...second];
    const targets = [
      ...hidden.flatMap((own, index) => (own["type"] === "dense" ? [index + 1] : [])),
      hidden.length + 1,
    ];
    const pairs = new Set(
      wanted.flatMap(([source, target]) => {
        const to = targets[target % targets.length] ?? 0;
        return to < 2 ? [] : [`${source % (to - 1)} ${to}`];
      }),
    );
    const xml = documentXml(
      image,
      hidden,
      [...pairs].map((pair) => pair.split(" ").map(Number)),
    );
    return { xml, blocks: hidden.length, images: first.length };
  });

function documentXml(image: readonly number[], hidden: readonly Own[], shortcuts: readonly number[][]): string {
  const size = image.reduce((product, each) => product * each, 1);
  const ids = ["Rows", ...hidden.map((_, index) => `Block${index + 1}`), "Classes"];
  const blocks = hidden.map(({ units, ...own }, index) => {
    const parameters = Object.entries(own).map(
      ([name, text]) => `<comboparameter name="${name}">${text}</comboparameter>`,
    );
    const sizeXml = units === undefined ? "" : `<size>${units}</size>`;
    return `<hidden><ID>Block${index + 1}</ID>${sizeXml}<parameters>${parameters.join("")}</parameters></hidden>`;
  });
  const pairs = shortcuts.map(
    ([from = 0, to = 0]) =>
      `<shortcuts><fromneuron>${ids[from]}</fromneuron><toneuron>${ids[to]}</toneuron></shortcuts>`,
  );
  return `<definition><identifier/><problemDomain><problemType>Classifiers</problemType></problemDomain><structure>
<input><ID>Rows</ID><dimension>${image.join("x")}</dimension><size>${size}</size></input>
${blocks.join("\n")}
<output><ID>Classes</ID><size>3</size></output>
<connections>${pairs.join("")}</connections></structure><parameters/></definition>`;
}
