import type { BlockReading } from "./block-reading.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { checkElement, childrenOf, foldName } from "./element-rule.js";
import { type FindBlock, readShortcuts, type Shortcut } from "./read-shortcuts.js";
import type { XmlElement } from "./xml-element.js";

interface Blocks {
  readonly input: BlockReading;
  readonly hidden: readonly BlockReading[];
  readonly output: BlockReading;
}

/** One `fromblock`/`toblock` pair. */
interface Connection {
  readonly from: BlockReading;
  readonly to: BlockReading;
  /** The `toblock` element: its place stands for the pair. */
  readonly element: XmlElement;
}

const onePath = [
  "one path of fullconnected blocks: the input, every hidden block, the output",
  "connections beside that path as <shortcuts>",
];

/** The hidden blocks as the connections run through them, and what is connected beside that. */
export interface OrderedBlocks {
  readonly hidden: readonly BlockReading[];
  /** Every one leads forward over a block or more. */
  readonly shortcuts: readonly Shortcut[];
}

/**
 * The hidden blocks in the order in which the connections run through them. No, or empty, full connections: every block to
 * the next, in document order. Cost O(blocks + connections).
 *
 * @throws RingstrasseError DOCUMENT_INVALID: unknown or ambiguous block, a block twice connected, left out, or in a
 *   cycle; DOCUMENT_UNSUPPORTED: branches, and shortcuts between single neurons.
 */
export function orderBlocks(blocks: Blocks, connections: XmlElement | undefined): OrderedBlocks {
  if (connections === undefined) return { hidden: blocks.hidden, shortcuts: [] };
  checkElement(connections, { repeated: ["fullconnected", "shortcuts"], text: true });
  const text = foldName(connections.text);
  if (connections.text !== "" && text !== "fullconnected") {
    const supported = ["fullconnected", "<fullconnected> and <shortcuts>"];
    throw unsupportedAt(connections.place, `unknown connections ${quote(connections.text)}`, supported);
  }
  const byId = groupById(blocks);
  const find: FindBlock = (element) => findBlock(byId, element);
  const pairs = childrenOf(connections, "fullconnected").flatMap((element) => readPairs(element, find));
  const shortcuts = readShortcuts(connections, [...byId.keys()], find);
  const hidden = pairs.length === 0 ? blocks.hidden : followPath(blocks, pairs);
  checkShortcuts({ ...blocks, hidden }, shortcuts);
  return { hidden, shortcuts };
}

/** Forward, over at least one block, once, and to a block whose inputs can be more than one block's. */
function checkShortcuts(blocks: Blocks, shortcuts: readonly Shortcut[]): void {
  const path = [blocks.input, ...blocks.hidden, blocks.output];
  const seen = new Set<string>();
  for (const { from, to, element } of shortcuts) {
    const names = `${quote(from.id)} to ${quote(to.id)}`;
    const distance = path.indexOf(to) - path.indexOf(from);
    if (distance < 1) {
      const problem = `the shortcut from ${names} does not lead forward`;
      throw invalidAt(element.place, problem, "Let it lead from a block to one that comes later");
    }
    if (distance === 1) {
      throw invalidAt(element.place, `${names} is connected without a shortcut`, "Remove the shortcut");
    }
    const key = `${path.indexOf(from)} ${path.indexOf(to)}`;
    if (seen.has(key)) throw invalidAt(element.place, `there are two shortcuts from ${names}`, "Remove one of the two");
    seen.add(key);
    if (to.layer === null) continue;
    const problem = `the shortcut from ${names} leads to a block of the type ${to.layer.kind}`;
    throw unsupportedAt(element.place, problem, ["shortcuts to dense blocks and to the output"]);
  }
}

function groupById({ input, hidden, output }: Blocks): ReadonlyMap<string, readonly BlockReading[]> {
  const byId = new Map<string, BlockReading[]>();
  for (const reading of [input, ...hidden, output]) {
    const group = byId.get(reading.id);
    if (group === undefined) byId.set(reading.id, [reading]);
    else group.push(reading);
  }
  return byId;
}

function readPairs(fullconnected: XmlElement, find: FindBlock): Connection[] {
  checkElement(fullconnected, { repeated: ["fromblock", "toblock"] });
  const { children } = fullconnected;
  const pairs: Connection[] = [];
  for (let index = 0; index < children.length; index += 2) {
    const [from, to] = [children[index], children[index + 1]];
    if (from === undefined) break;
    if (from.name !== "fromblock" || to?.name !== "toblock") {
      throw invalidAt(
        from.place,
        "fromblock and toblock don't come in pairs",
        "Write one <fromblock> and then one <toblock> for each connection",
      );
    }
    pairs.push({ from: find(from), to: find(to), element: to });
  }
  return pairs;
}

function findBlock(byId: ReadonlyMap<string, readonly BlockReading[]>, element: XmlElement): BlockReading {
  checkElement(element, { text: true });
  const [found, second] = byId.get(element.text) ?? [];
  if (found === undefined) {
    const ids = [...byId.keys()].join(", ");
    throw invalidAt(element.place, `there is no block with the ID ${quote(element.text)}`, `Name one of: ${ids}`);
  }
  if (second === undefined) return found;
  const problem = `several blocks have the ID ${quote(element.text)} (${found.element.place.elementPath}, ${second.element.place.elementPath})`;
  throw invalidAt(element.place, problem, "Give every block that is connected by name an ID of its own");
}

function followPath(blocks: Blocks, pairs: readonly Connection[]): readonly BlockReading[] {
  const next = new Map<BlockReading, BlockReading>();
  const previous = new Map<BlockReading, BlockReading>();
  for (const { from, to, element } of pairs) {
    checkDirection(blocks, { from, to, element });
    if (next.get(from) === to) {
      const problem = `${quote(from.id)} is connected to ${quote(to.id)} twice`;
      throw invalidAt(element.place, problem, "Remove one of the two connections");
    }
    const branch = next.has(from) ? from : previous.has(to) ? to : null;
    if (branch !== null) {
      const problem = `the network branches at the block ${quote(branch.id)}`;
      throw unsupportedAt(element.place, problem, onePath);
    }
    next.set(from, to);
    previous.set(to, from);
  }
  const path: BlockReading[] = [];
  // The input has no predecessor and every other block at most one, so the walk can't run in a circle.
  for (let block = next.get(blocks.input); block !== undefined && block !== blocks.output; block = next.get(block)) {
    path.push(block);
  }
  checkComplete(blocks, path, { next, previous });
  return path;
}

function checkDirection(blocks: Blocks, { from, to, element }: Connection): void {
  const wrong =
    to === blocks.input
      ? `the input block ${quote(to.id)} can't be fed by another block`
      : from === blocks.output
        ? `the output block ${quote(from.id)} can't feed another block`
        : from === to
          ? `the block ${quote(from.id)} feeds itself, which is a cycle`
          : null;
  if (wrong !== null) throw invalidAt(element.place, wrong, "Connect the input to the first hidden block, and so on");
}

function checkComplete(
  blocks: Blocks,
  path: readonly BlockReading[],
  links: { readonly next: Map<BlockReading, BlockReading>; readonly previous: Map<BlockReading, BlockReading> },
): void {
  const last = path.at(-1) ?? blocks.input;
  if (links.next.get(last) !== blocks.output) {
    const problem = `no connection leads on from the block ${quote(last.id)}: the output is never reached`;
    throw invalidAt(last.element.place, problem, `Connect ${last.id} to the next block`);
  }
  const reached = new Set(path);
  const left = blocks.hidden.filter((block) => !reached.has(block));
  const [first] = left;
  if (first === undefined) return;
  const ids = left.map(({ id }) => quote(id)).join(", ");
  const cycle = left.every((block) => links.next.has(block) && links.previous.has(block));
  const problem = cycle ? `the blocks ${ids} form a cycle of their own` : `no path from the input reaches ${ids}`;
  throw invalidAt(first.element.place, problem, "Connect every hidden block between the input and the output, once");
}
