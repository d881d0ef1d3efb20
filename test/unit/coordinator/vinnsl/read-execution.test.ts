import { describe, expect, it } from "vitest";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { definitionXml } from "./definition-xml.js";
import { failureOf } from "./failure-of.js";

function environment(machine: string, hardware: Readonly<Record<string, string>> = {}, kind = "general"): string {
  const parameters = Object.entries(hardware).map(
    ([name, text]) => `<valueparameter name="${name}">${text}</valueparameter>`,
  );
  return `<executionEnvironment><serial>true</serial><parallel>
    <software><data><structural><spmd>${machine}</spmd></structural></data></software>
    <hardware><${kind}>${parameters.join("")}</${kind}></hardware></parallel></executionEnvironment>`;
}

function software(inner: string): string {
  return `<executionEnvironment><parallel><software>${inner}</software></parallel></executionEnvironment>`;
}

function read(executionEnvironment: string) {
  return readNetwork(new TextEncoder().encode(definitionXml({ executionEnvironment })), "net.xml").execution;
}

function refusal(executionEnvironment: string) {
  return failureOf(() => read(executionEnvironment));
}

const root = "/definition/executionEnvironment";
const cluster = '<cluster version="1.0">any</cluster>';

describe("execution environment", () => {
  it.each([
    "",
    "<executionEnvironment/>",
    "<executionEnvironment><serial>true</serial></executionEnvironment>",
    "<executionEnvironment><serial>false</serial><parallel/></executionEnvironment>",
    environment(""),
    environment(cluster),
    environment("<multicore/>"),
  ])("wishes nothing: %#", (xml) => {
    expect(read(xml)).toEqual({ paths: {} });
  });

  it.each(["general", "special"])("reads %s hardware parameters in any spelling", (kind) => {
    const wishes = { Workers: "4", REPLICAS: "8", threads: "2", collective: "Parameter_Server", engine: "WASM" };
    expect(read(environment(cluster, wishes, kind))).toEqual({
      workers: 4,
      replicas: 8,
      threads: 2,
      collective: "parameter-server",
      engine: "wasm",
      paths: {
        workers: `${root}/parallel/hardware/${kind}/valueparameter[1]`,
        replicas: `${root}/parallel/hardware/${kind}/valueparameter[2]`,
        threads: `${root}/parallel/hardware/${kind}/valueparameter[3]`,
        collective: `${root}/parallel/hardware/${kind}/valueparameter[4]`,
        engine: `${root}/parallel/hardware/${kind}/valueparameter[5]`,
      },
    });
  });

  it("takes gpgpu as a wish for the GPU engine, and refuses one that uses none", () => {
    const gpu = '<gpgpu version="12">CUDA</gpgpu>';
    const path = `${root}/parallel/software/data/structural/spmd/gpgpu`;
    expect(read(environment(gpu))).toEqual({ engine: "tensorflow-gpu", paths: { engine: path } });
    expect(read(environment(gpu, { engine: "auto" })).engine).toBe("tensorflow-gpu");
    expect(refusal(environment(gpu, { engine: "wasm" }))).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: `${root}/parallel/hardware/general/valueparameter`,
      problem: expect.stringContaining(path),
    });
  });

  it.each([
    [environment('<hypercube version="1"/>'), "parallel/software/data/structural/spmd/hypercube"],
    [software('<control><transputer version="1"/></control>'), "parallel/software/control/transputer"],
    [
      software("<data><topological><pipelining><systolicarr/></pipelining></topological></data>"),
      "parallel/software/data/topological/pipelining/systolicarr",
    ],
  ])("refuses machines that no job runs on: %#", (xml, path) => {
    expect(refusal(xml)).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      elementPath: `${root}/${path}`,
      supported: expect.arrayContaining(["data/structural/spmd/cluster"]),
    });
  });

  it.each([
    [environment(cluster, { memory: "8" }), "DOCUMENT_UNSUPPORTED"],
    [environment(cluster, { engine: "torch" }), "DOCUMENT_UNSUPPORTED"],
    [environment(cluster, { collective: "gossip" }), "DOCUMENT_UNSUPPORTED"],
    [environment(cluster, { workers: "0" }), "DOCUMENT_INVALID"],
    [environment(cluster, { workers: "many" }), "DOCUMENT_INVALID"],
    [environment(cluster, { replicas: "1.5" }), "DOCUMENT_INVALID"],
    [environment(cluster, { threads: "65537" }), "DOCUMENT_INVALID"],
  ])("refuses wrong hardware parameters at their element: %#", (xml, code) => {
    expect(refusal(xml)).toMatchObject({ code, elementPath: `${root}/parallel/hardware/general/valueparameter` });
  });

  it("refuses two machines, an unknown element, and a serial that is no boolean", () => {
    expect(refusal(environment(`${cluster}<multicore/>`))).toMatchObject({ code: "DOCUMENT_INVALID" });
    expect(refusal(environment("<quantum/>"))).toMatchObject({ code: "DOCUMENT_UNSUPPORTED" });
    const serial = "<executionEnvironment><serial>yes</serial></executionEnvironment>";
    expect(refusal(serial)).toMatchObject({ code: "DOCUMENT_INVALID", elementPath: `${root}/serial` });
  });
});
