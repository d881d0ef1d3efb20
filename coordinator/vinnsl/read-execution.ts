import { COLLECTIVES } from "../../shared/collective-choice.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { checkElement, childOf, foldName, leafFlag } from "./element-rule.js";
import type { NamedValue } from "./named-values.js";
import { byMeaning, readNamedValues } from "./named-values.js";
import type { ExecutionWishes } from "./network-definition.js";
import { readNumber } from "./read-number.js";
import type { XmlElement } from "./xml-element.js";

const counts = ["workers", "minWorkers", "maxWorkers", "replicas", "threads"] as const;
const choices = {
  collective: ["auto", ...COLLECTIVES],
  engine: ["auto", "wasm", "tensorflow", "tensorflow-gpu"],
} as const;
const supportedNames = [...counts, "collective", "engine"] as const;
const machines = ["cluster", "gpgpu", "multicore"];
const gpuEngine = "tensorflow-gpu";

/**
 * Reads a definition's `<executionEnvironment>`: which machine (`parallel/software/data/structural/spmd`) and, from
 * the hardware's parameters, how. `serial` restricts nothing: the schema fixes it to true even beside `parallel`.
 * `paths` is keyed by the fields of {@link ExecutionWishes}.
 *
 * @throws RingstrasseError DOCUMENT_UNSUPPORTED: another kind of machine, an unknown parameter, engine or collective;
 *   DOCUMENT_INVALID: wrong numbers, two machines, `gpgpu` with an engine that uses no GPU.
 */
export function readExecution(environment: XmlElement | undefined): ExecutionWishes {
  if (environment === undefined) return { paths: {} };
  checkElement(environment, { children: ["serial", "parallel"] });
  leafFlag(environment, "serial");
  const parallel = childOf(environment, "parallel");
  if (parallel === undefined) return { paths: {} };
  checkElement(parallel, { children: ["software", "hardware"] });
  const machine = readMachine(childOf(parallel, "software"));
  const hardware = childOf(parallel, "hardware");
  if (hardware !== undefined) checkElement(hardware, { children: ["general", "special"] });
  const values = [...readNamedValues(childOf(hardware, "general")), ...readNamedValues(childOf(hardware, "special"))];
  return readWishes(values, machine);
}

/** The one element in `spmd`; undefined when the document names no machine. */
function readMachine(software: XmlElement | undefined): XmlElement | undefined {
  if (software === undefined) return undefined;
  checkElement(software, { children: ["control", "data"] });
  const data = childOf(software, "data");
  if (data !== undefined) checkElement(data, { children: ["topological", "structural"] });
  for (const refused of [childOf(software, "control"), childOf(data, "topological")]) {
    if (refused !== undefined) throw refuseMachine(deepest(refused));
  }
  const structural = childOf(data, "structural");
  if (structural !== undefined) checkElement(structural, { children: ["spmd"] });
  const spmd = childOf(structural, "spmd");
  if (spmd === undefined) return undefined;
  checkElement(spmd, { children: ["hypercube", ...machines] });
  const [machine, second] = spmd.children;
  if (machine === undefined) return undefined;
  if (!machines.includes(machine.name)) throw refuseMachine(machine);
  if (second !== undefined) {
    const problem = `<spmd> names two machines, <${machine.name}> and <${second.name}>`;
    throw invalidAt(second.place, problem, "Keep one of them");
  }
  checkElement(machine, { text: true, attributes: ["version"] });
  return machine;
}

function deepest(element: XmlElement): XmlElement {
  const [child] = element.children;
  return child === undefined ? element : deepest(child);
}

function refuseMachine(element: XmlElement) {
  const supported = machines.map((name) => `data/structural/spmd/${name}`);
  return unsupportedAt(element.place, `<${element.name}> is no machine that jobs run on`, supported);
}

function readWishes(values: readonly NamedValue[], machine: XmlElement | undefined): ExecutionWishes {
  const found = byMeaning(values, (value) => {
    const name = supportedNames.find((known) => foldName(known) === value.key);
    if (name !== undefined) return name;
    throw unsupportedAt(value.element.place, `unknown hardware parameter ${quote(value.name)}`, supportedNames);
  });
  const wishes: { -readonly [Name in (typeof counts)[number]]?: number } = {};
  for (const name of counts) {
    const value = found.get(name);
    if (value !== undefined) wishes[name] = readNumber(value.element, name, { whole: true, min: 1, max: 65_536 });
  }
  const collective = readChoice(found.get("collective"), "collective");
  const engine = readEngine(found.get("engine"), machine);
  const sources = new Map([...found].map(([name, { element }]) => [name, element]));
  // The GPU engine may follow from the machine alone: then that is the element to name.
  if (engine !== undefined && machine !== undefined && !sources.has("engine")) sources.set("engine", machine);
  return {
    ...wishes,
    ...(collective === undefined ? {} : { collective }),
    ...(engine === undefined ? {} : { engine }),
    paths: Object.fromEntries([...sources].map(([name, { place }]) => [name, place.elementPath])),
  };
}

function readChoice(value: NamedValue | undefined, name: keyof typeof choices): string | undefined {
  if (value === undefined) return undefined;
  const choice = choices[name].find((each) => foldName(each) === foldName(value.element.text));
  if (choice !== undefined) return choice;
  throw unsupportedAt(value.element.place, `unknown ${name} ${quote(value.element.text)}`, choices[name]);
}

function readEngine(value: NamedValue | undefined, machine: XmlElement | undefined): string | undefined {
  const engine = readChoice(value, "engine");
  if (machine?.name !== "gpgpu") return engine;
  if (value === undefined || engine === undefined || engine === "auto" || engine === gpuEngine) return gpuEngine;
  const problem = `the engine is ${engine}, but ${machine.place.elementPath} asks for a GPU`;
  throw invalidAt(value.element.place, problem, `Set the engine to ${gpuEngine}, or replace <gpgpu> by <multicore>`);
}
