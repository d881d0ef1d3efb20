import { describe, expect, it } from "vitest";
import { parseVinnslXml } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-xml.js";
import { toVinnslXml } from "../../../../../coordinator/vinnsl/object/to-vinnsl-xml.js";
import { withParameter } from "../../../../../coordinator/vinnsl/object/with-parameter.js";
import { readNetwork } from "../../../../../coordinator/vinnsl/read-network.js";
import { networkXml } from "../../../../support/training-data.js";

const OBJECT = parseVinnslXml(
  Buffer.from(networkXml({ inputs: 2, hidden: [3], outputs: 2, parameters: { learningrate: 0.5, iterations: 7 } })),
);
const parametersOf = (object: typeof OBJECT) => readNetwork(Buffer.from(toVinnslXml(object)), null).parameters;

describe("withParameter", () => {
  it("takes the place of the document's own, however that is written, and leaves the others", () => {
    expect(parametersOf(withParameter(OBJECT, "Learning_Rate", "0.25"))).toMatchObject({
      learningRate: 0.25,
      epochs: 7,
    });
    expect(parametersOf(OBJECT)).toMatchObject({ learningRate: 0.5 });
  });

  it("adds what the document doesn't say", () => {
    expect(parametersOf(withParameter(OBJECT, "seed", "11"))).toMatchObject({ learningRate: 0.5, epochs: 7, seed: 11 });
  });

  it("leaves an object without a definition as it is", () => {
    const bare = parseVinnslXml(Buffer.from("<vinnsl><description/></vinnsl>"));
    expect(withParameter(bare, "seed", "1")).toBe(bare);
  });
});
