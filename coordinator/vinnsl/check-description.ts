import type { BlockReading } from "./block-reading.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { checkElement, childOf, childrenOf, foldName, leafFlag, leafText } from "./element-rule.js";
import { readNumber } from "./read-number.js";
import type { WrittenBlocks } from "./read-structure.js";
import type { XmlElement } from "./xml-element.js";

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly element: XmlElement;
}

/**
 * Checks the form of a `<description>` (problem domain excepted). Its parameters only declare names, and its execution
 * environments only say where such networks can run: both are for people.
 *
 * @throws RingstrasseError DOCUMENT_UNSUPPORTED: unknown elements; DOCUMENT_INVALID: a description that excludes
 *   training.
 */
export function checkDescription(description: XmlElement): void {
  checkElement(description, {
    children: ["identifier", "metadata", "creator", "problemDomain", "endpoints", "structure", "parameters", "data"],
    repeated: ["executionEnvironment"],
  });
  const endpoints = childOf(description, "endpoints");
  if (endpoints !== undefined) checkElement(endpoints, { children: ["train", "retrain", "evaluate"] });
  for (const name of ["train", "retrain", "evaluate"]) {
    if (leafFlag(endpoints, name) !== false || name !== "train") continue;
    const place = childOf(endpoints, name)?.place ?? description.place;
    throw invalidAt(place, "the description's networks can't be trained: train is false", "Set train to true");
  }
  const parameters = childOf(description, "parameters");
  if (parameters !== undefined) {
    checkElement(parameters, { repeated: ["valueparameter", "boolparameter", "comboparameter"] });
  }
  const data = childOf(description, "data");
  if (data !== undefined) checkElement(data, { children: ["description", "tabledescription", "filedescription"] });
}

/**
 * Checks that a definition's structure lies within its description's: as many hidden blocks, sizes and dimensions from
 * `min` to `max`. Blocks belong together by ID where the IDs allow that, else by position. A description without
 * structure allows everything.
 *
 * @throws RingstrasseError DOCUMENT_INVALID, at the definition's element, naming the description's
 */
export function checkWithinDescription(structure: WrittenBlocks, described: XmlElement | undefined): void {
  if (described === undefined) return;
  checkElement(described, { children: ["input", "output", "connections"], repeated: ["hidden"] });
  const connections = leafText(described, "connections");
  checkConnections(structure, connections, childOf(described, "connections") ?? described);
  checkBlock(structure.input, childOf(described, "input"));
  checkBlock(structure.output, childOf(described, "output"));
  for (const [block, counterpart] of pairHidden(structure, described)) checkBlock(block, counterpart);
}

function checkConnections({ shortcut }: WrittenBlocks, connections: string | null, element: XmlElement): void {
  if (connections === null) return;
  const kinds = ["fullconnected", "shortcuts", "mixed"];
  if (!kinds.includes(foldName(connections))) {
    throw unsupportedAt(element.place, `the description's connections are ${quote(connections)}`, kinds);
  }
  if (shortcut === null || foldName(connections) !== "fullconnected") return;
  const { elementPath, line } = element.place;
  const problem = `the definition has shortcuts, its description's connections (${elementPath}, line ${line}) are ${quote(connections)}`;
  throw invalidAt(shortcut.place, problem, "Write mixed in the description, or remove the shortcuts");
}

function pairHidden(structure: WrittenBlocks, described: XmlElement): [BlockReading, XmlElement][] {
  const candidates = childrenOf(described, "hidden");
  const { hidden } = structure;
  if (candidates.length !== hidden.length) {
    const place = (hidden[candidates.length] ?? structure.output).element.place;
    const problem =
      `the definition has ${hidden.length} hidden blocks, ` +
      `its description (${described.place.elementPath}, line ${described.place.line}) ${candidates.length}`;
    throw invalidAt(place, problem, "Make the two agree");
  }
  const byId = new Map(candidates.map((element) => [leafText(element, "ID"), element]));
  const ids = new Set(hidden.map(({ id }) => id));
  const named = byId.size === candidates.length && ids.size === hidden.length && [...ids].every((id) => byId.has(id));
  return hidden.flatMap((block, index): [BlockReading, XmlElement][] => {
    const counterpart = named ? byId.get(block.id) : candidates[index];
    return counterpart === undefined ? [] : [[block, counterpart]];
  });
}

function checkBlock(reading: BlockReading, described: XmlElement | undefined): void {
  if (described === undefined) return;
  checkElement(described, { children: ["ID", "dimension", "size", "parameters", "activation"] });
  const size = readBounds(childOf(described, "size"));
  if (reading.size !== null) checkInside(reading, { name: "size", value: reading.size, bounds: size });
  const dimension = readBounds(childOf(described, "dimension"));
  const value = reading.dimension?.value ?? null;
  if (value !== null) checkInside(reading, { name: "dimension", value, bounds: dimension });
}

/** `<min>` and `<max>`, or, as some documents have it, one number. Null when the element is absent or empty. */
function readBounds(element: XmlElement | undefined): Bounds | null {
  if (element === undefined) return null;
  checkElement(element, { children: ["min", "max"], text: element.children.length === 0 });
  // A published description has a size of 0 "since it isn't known yet".
  const whole = { whole: true, min: 0, max: Number.MAX_SAFE_INTEGER };
  if (element.children.length === 0) {
    if (element.text === "") return null;
    const value = readNumber(element, element.name, whole);
    return { min: value, max: value, element };
  }
  const read = (name: string, otherwise: number): number => {
    const bound = childOf(element, name);
    if (bound === undefined) return otherwise;
    checkElement(bound, { text: true });
    return readNumber(bound, `${element.name}/${name}`, whole);
  };
  const bounds: Bounds = { min: read("min", 0), max: read("max", Number.MAX_SAFE_INTEGER), element };
  if (bounds.min <= bounds.max) return bounds;
  throw invalidAt(element.place, `min ${bounds.min} is greater than max ${bounds.max}`, "Exchange the two");
}

function checkInside(
  reading: BlockReading,
  { name, value, bounds }: { readonly name: string; readonly value: number; readonly bounds: Bounds | null },
): void {
  if (bounds === null || (value >= bounds.min && value <= bounds.max)) return;
  const { min, max, element } = bounds;
  const range =
    min === max ? `exactly ${min}` : max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `${min} to ${max}`;
  const place = childOf(reading.element, name)?.place ?? reading.element.place;
  const problem =
    `${name} ${value} of block ${quote(reading.id)} is outside its description's ` +
    `(${element.place.elementPath}, line ${element.place.line}): ${range}`;
  throw invalidAt(place, problem, "Change the definition, or widen the description's range");
}
