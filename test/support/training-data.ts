import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RandomStream } from "../../shared/random/random-stream.js";

/** Rows of two features and a class 0 … classes − 1 that can be learnt; a pure function of the seed. CSV without header. */
export async function writeBlobs(folder: string, rows: number, classes = 3, seed = 1): Promise<string> {
  const random = new RandomStream({ seed, purpose: 99 });
  const lines = Array.from({ length: rows }, (_, row) => {
    const label = row % classes;
    const angle = (2 * Math.PI * label) / classes;
    const noise = (): number => (random.nextFloat() + random.nextFloat() - 1) * 0.8;
    return `${(Math.cos(angle) + noise()).toFixed(4)},${(Math.sin(angle) + noise()).toFixed(4)},${label}`;
  });
  const path = join(folder, "blobs.csv");
  await writeFile(path, `${lines.join("\n")}\n`);
  return path;
}

export interface NetworkText {
  readonly inputs: number;
  readonly hidden: readonly number[];
  readonly outputs: number;
  readonly problem?: "Classifiers" | "Approximators";
  /** `name=value` pairs; values that are no numbers become comboparameters. */
  readonly parameters?: Readonly<Record<string, string | number>>;
}

/** A bare ViNNSL definition. */
export function networkXml({ inputs, hidden, outputs, problem = "Classifiers", parameters = {} }: NetworkText): string {
  const blocks = hidden.map(
    (size, index) => `<hidden><ID>Hidden${index + 1}</ID><dimension>1</dimension><size>${size}</size></hidden>`,
  );
  const values = Object.entries(parameters).map(([name, value]) => {
    const element = typeof value === "number" ? "valueparameter" : "comboparameter";
    return `<${element} name="${name}">${value}</${element}>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<definition>
  <identifier>test</identifier>
  <problemDomain>
    <propagationType type="feedforward"><learningType>supervised</learningType></propagationType>
    <applicationField>Operations</applicationField>
    <networkType>Backpropagation</networkType>
    <problemType>${problem}</problemType>
  </problemDomain>
  <endpoints>train</endpoints>
  <executionEnvironment><serial>true</serial></executionEnvironment>
  <structure>
    <input><ID>Input1</ID><dimension>1</dimension><size>${inputs}</size></input>
    ${blocks.join("\n    ")}
    <output><ID>Output1</ID><dimension>1</dimension><size>${outputs}</size></output>
    <connections/>
  </structure>
  <resultSchema><instance>true</instance><training>true</training></resultSchema>
  <parameters>${values.join("")}</parameters>
  <data><description>test rows</description><dataSchemaID></dataSchemaID></data>
</definition>
`;
}

/** Writes a network into `folder`. @returns its path. */
export async function writeNetwork(folder: string, network: NetworkText, name = "network.xml"): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, networkXml(network));
  return path;
}
