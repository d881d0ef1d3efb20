/** Parts of a definition, as XML text; each may be replaced or, by an empty text, left out. */
export interface DefinitionParts {
  readonly identifier?: string;
  readonly problemDomain?: string;
  readonly endpoints?: string;
  readonly executionEnvironment?: string;
  readonly structure?: string;
  readonly parameters?: string;
  readonly rest?: string;
}

const problemDomain = `<problemDomain>
  <propagationType type="feedforward"><learningType>supervised</learningType></propagationType>
  <applicationField>Classification</applicationField>
  <networkType>Backpropagation</networkType>
  <problemType>Classifiers</problemType>
</problemDomain>`;

/** A block element. */
export function blockXml(tag: "input" | "hidden" | "output", id: string, size: number | string, more = ""): string {
  return `<${tag}><ID>${id}</ID><size>${size}</size>${more}</${tag}>`;
}

/** A `<structure>` of Input1 (4), Hidden1 (3), Hidden2 (3) and Output1 (3). */
export function structureXml(connections = "<connections/>"): string {
  return `<structure>
${blockXml("input", "Input1", 4)}
${blockXml("hidden", "Hidden1", 3)}
${blockXml("hidden", "Hidden2", 5)}
${blockXml("output", "Output1", 3)}
${connections}
</structure>`;
}

/** A `<connections>` with one `fullconnected` of these pairs. */
export function connectionsXml(...pairs: readonly (readonly [string, string])[]): string {
  const inner = pairs.map(([from, to]) => `<fromblock>${from}</fromblock><toblock>${to}</toblock>`).join("\n");
  return `<connections><fullconnected>${inner}</fullconnected></connections>`;
}

/** A `<parameters>` with value parameters of these names and texts. */
export function parametersXml(values: Readonly<Record<string, string>>, kind = "valueparameter"): string {
  const inner = Object.entries(values).map(([name, text]) => `<${kind} name="${name}">${text}</${kind}>`);
  return `<parameters>${inner.join("\n")}</parameters>`;
}

/** A small definition that reads without a warning. */
export function definitionXml(parts: DefinitionParts = {}): string {
  return `<definition>
${parts.identifier ?? "<identifier/>"}
${parts.problemDomain ?? problemDomain}
${parts.endpoints ?? "<endpoints>train</endpoints>"}
${parts.executionEnvironment ?? "<executionEnvironment><serial>true</serial></executionEnvironment>"}
${parts.structure ?? structureXml()}
${parts.parameters ?? parametersXml({ learningrate: "0.1" })}
${parts.rest ?? ""}
</definition>`;
}
