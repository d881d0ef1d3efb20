import { open } from "node:fs/promises";

/** Columns before the label. */
export const FEATURES = 20;
export const CLASSES = 3;

/** Rows formatted before each write. */
const CHUNK_ROWS = 4096;

/**
 * Writes a CSV of at least `sizeBytes`: 20 numbers and a class that depends on them, the same for the same size. Holds one chunk.
 * @returns rows written
 */
export async function writeGeneratedCsv(path: string, sizeBytes: number): Promise<number> {
  await using file = await open(path, "w");
  const random = linearCongruential(1);
  let rows = 0;
  for (let written = 0; written < sizeBytes; ) {
    let text = "";
    for (let row = 0; row < CHUNK_ROWS; row++) text += generatedRow(random);
    rows += CHUNK_ROWS;
    written += (await file.write(text)).bytesWritten;
  }
  return rows;
}

function generatedRow(random: () => number): string {
  let line = "";
  let sum = 0;
  for (let column = 0; column < FEATURES; column++) {
    const value = random() * 2 - 1;
    if (column < 4) sum += value;
    line += `${value.toFixed(6)},`;
  }
  return `${line}${sum < -0.5 ? 0 : sum < 0.5 ? 1 : 2}\n`;
}

/** Numerical Recipes' generator: quick, and good enough for numbers whose only task is to be there. */
function linearCongruential(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

/** A ViNNSL definition of a 20-32-3 network for that file. */
export function generatedDocument(): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<definition>
  <identifier>generated</identifier>
  <problemDomain>
    <propagationType type="feedforward"><learningType>supervised</learningType></propagationType>
    <applicationField>Operations</applicationField>
    <networkType>Backpropagation</networkType>
    <problemType>Classifiers</problemType>
  </problemDomain>
  <endpoints>train</endpoints>
  <executionEnvironment><serial>true</serial></executionEnvironment>
  <structure>
    <input><ID>Input1</ID><dimension>1</dimension><size>${FEATURES}</size></input>
    <hidden><ID>Hidden1</ID><dimension>1</dimension><size>32</size></hidden>
    <output><ID>Output1</ID><dimension>1</dimension><size>${CLASSES}</size></output>
    <connections/>
  </structure>
  <resultSchema><instance>true</instance><training>true</training></resultSchema>
  <parameters>
    <valueparameter name="learningrate">0.01</valueparameter>
    <comboparameter name="activationfunction">relu</comboparameter>
  </parameters>
</definition>
`;
}
