import { describe, expect, it } from "vitest";
import { networkDocument } from "../../../../bench/scaling/network-document.js";
import { NETWORKS, network, optimizer } from "../../../../bench/train/networks.js";
import { readJob } from "../../../../coordinator/job/plan-run.js";
import type { ModelSpec } from "../../../../shared/model-spec.js";

describe("networkDocument", () => {
  it.each(NETWORKS)("means the %s of the other benchmarks", (name) => {
    const bytes = Buffer.from(networkDocument(name));
    const { settings } = readJob({ bytes, file: null, options: {}, sources: {} });
    expect(unnamed(settings.model)).toEqual(unnamed(network(name)));
    expect(settings.optimizer).toEqual(optimizer("sgd"));
  });
});

function unnamed(model: ModelSpec): unknown {
  return { ...model, layers: model.layers.map(({ name: _, ...layer }) => layer) };
}
