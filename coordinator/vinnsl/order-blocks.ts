import type { BlockReading } from "./block-reading.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { checkElement, childrenOf, foldName } from "./element-rule.js";
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

const onePath = ["one path of fullconnected blocks: the input, every hidden block, the output"];

/**
 * The hidden blocks in the order in which the connections run through them. No, or empty, connections: every block to
 * the next, in document order. Cost O(blocks + connections).
 *
 * @throws RingstrasseError DOCUMENT_INVALID: unknown or ambiguous block, a block twice connected, left out, or in a
 *   cycle; DOCUMENT_UNSUPPORTED: branches and shortcuts.
 */
export function orderBlocks(blocks: Blocks, connections: XmlElement | undefined): readonly BlockReading[] {
  if (connections === undefined) return blocks.hidden;
  checkElement(connections, { repeated: ["fullconnected", "shortcuts"], text: true });
  if (connections.text !== "" && foldName(connections.text) !== "fullconnected") {
    throw unsupportedAt(connections.place, `unknown connections ${quote(connections.text)}`, ["fullconnected"]);
  }
  for (const shortcuts of childrenOf(connections, "shortcuts")) refuseShortcuts(shortcuts);
  const byId = groupById(blocks);
  const pairs = childrenOf(connections, "fullconnected").flatMap((element) => readPairs(element, byId));
  return pairs.length === 0 ? blocks.hidden : followPath(blocks, pairs);
}

/** The schema requires the element, so empty ones say nothing. */
function refuseShortcuts(shortcuts: XmlElement): void {
  checkElement(shortcuts, { repeated: ["fromneuron", "toneuron"] });
  const neuron = shortcuts.children.find((child) => child.text !== "" || child.children.length > 0);
  if (neuron !== undefined) {
    throw unsupportedAt(neuron.place, "shortcuts between neurons can't be trained", ["fullconnected"]);
  }
}

function groupById({ input, hidden, output }: Blocks): ReadonlyMap<string, readonly BlockReading[]> {
  const byId = new Map<string, BlockReading[]>();
  for (const reading of [input, ...hidden, output]) {
    const group = byId.get(reading.block.id);
    if (group === undefined) byId.set(reading.block.id, [reading]);
    else group.push(reading);
  }
  return byId;
}

function readPairs(fullconnected: XmlElement, byId: ReadonlyMap<string, readonly BlockReading[]>): Connection[] {
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
    pairs.push({ from: findBlock(byId, from), to: findBlock(byId, to), element: to });
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
  const problem = `several blocks have the ID ${quote(element.text)} (${found.block.path}, ${second.block.path})`;
  throw invalidAt(element.place, problem, "Give every block that is connected by name an ID of its own");
}

function followPath(blocks: Blocks, pairs: readonly Connection[]): readonly BlockReading[] {
  const next = new Map<BlockReading, BlockReading>();
  const previous = new Map<BlockReading, BlockReading>();
  for (const { from, to, element } of pairs) {
    checkDirection(blocks, { from, to, element });
    if (next.get(from) === to) {
      const problem = `${quote(from.block.id)} is connected to ${quote(to.block.id)} twice`;
      throw invalidAt(element.place, problem, "Remove one of the two connections");
    }
    const branch = next.has(from) ? from : previous.has(to) ? to : null;
    if (branch !== null) {
      const problem = `the network branches at the block ${quote(branch.block.id)}`;
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
      ? `the input block ${quote(to.block.id)} can't be fed by another block`
      : from === blocks.output
        ? `the output block ${quote(from.block.id)} can't feed another block`
        : from === to
          ? `the block ${quote(from.block.id)} feeds itself, which is a cycle`
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
    const problem = `no connection leads on from the block ${quote(last.block.id)}: the output is never reached`;
    throw invalidAt(last.element.place, problem, `Connect ${last.block.id} to the next block`);
  }
  const reached = new Set(path);
  const left = blocks.hidden.filter((block) => !reached.has(block));
  const [first] = left;
  if (first === undefined) return;
  const ids = left.map(({ block }) => quote(block.id)).join(", ");
  const cycle = left.every((block) => links.next.has(block) && links.previous.has(block));
  const problem = cycle ? `the blocks ${ids} form a cycle of their own` : `no path from the input reaches ${ids}`;
  throw invalidAt(first.element.place, problem, "Connect every hidden block between the input and the output, once");
}
