import { GRADIENT_RULES } from "./gradient-rules.js";
import type { GraphBuilder } from "./graph-builder.js";
import type { GraphNode, GraphTensor } from "./graph-node.js";
import { binary } from "./operations.js";

/** A tensor whose gradient is known: where the reverse pass starts. */
export interface Seed {
  readonly of: GraphTensor;
  readonly gradient: GraphTensor;
}

/**
 * Adds the gradients of `parameters` to a graph: reverse-mode differentiation from the seeds, node by node backwards, each once; gradients
 * that meet are added in that order. O(nodes). Only what lies between a parameter and a seed is differentiated.
 * @returns by the parameter's name. No gradient: no seed depends on that parameter.
 * @throws RangeError when a node on the way has no gradient rule.
 */
export function reversePass(
  graph: GraphBuilder,
  seeds: readonly Seed[],
  parameters: readonly GraphTensor[],
): ReadonlyMap<string, GraphTensor> {
  const forward = [...graph.nodes];
  const depends = dependents(forward, parameters);
  const gradients = new Map<string, GraphTensor>();
  const add = (name: string, gradient: GraphTensor) => {
    const known = gradients.get(name);
    gradients.set(name, known === undefined ? gradient : binary(graph, "AddV2", known, gradient));
  };
  for (const { of, gradient } of seeds) add(of.name, gradient);
  for (const node of forward.reverse()) {
    const dy = gradients.get(node.name);
    if (dy === undefined || !depends.has(node.name) || node.inputs.length === 0) continue;
    const rule = GRADIENT_RULES.get(node.op);
    if (rule === undefined) throw new RangeError(`there is no gradient rule for ${node.op} (node ${node.name})`);
    const needs = (index: number): boolean => depends.has(node.inputs[index]?.name ?? "");
    for (const [index, gradient] of rule({ graph, node, dy, needs }).entries()) {
      const input = node.inputs[index];
      if (gradient !== null && input !== undefined && needs(index)) add(input.name, gradient);
    }
  }
  return new Map(
    parameters.flatMap(({ name }) => {
      const gradient = gradients.get(name);
      return gradient === undefined ? [] : [[name, gradient] as const];
    }),
  );
}

/** Names of all tensors that change with a parameter. */
function dependents(nodes: readonly GraphNode[], parameters: readonly GraphTensor[]): ReadonlySet<string> {
  const found = new Set(parameters.map(({ name }) => name));
  for (const { inputs, outputs } of nodes) {
    if (!inputs.some(({ name }) => found.has(name))) continue;
    for (const { name } of outputs) found.add(name);
  }
  return found;
}
