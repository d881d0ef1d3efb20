import type { BlockReading } from "./block-reading.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { checkElement, childrenOf } from "./element-rule.js";
import type { XmlElement } from "./xml-element.js";

/** A connection between blocks that are not neighbours. */
export interface Shortcut {
  readonly from: BlockReading;
  readonly to: BlockReading;
  /** The `toneuron`: its place stands for the pair. */
  readonly element: XmlElement;
}

/** Finds the block that an element names. @throws RingstrasseError */
export type FindBlock = (element: XmlElement) => BlockReading;

/**
 * The `<shortcuts>`: pairs of `fromneuron` and `toneuron` that name blocks, all of whose neurons are meant. The schema requires the
 * element, so empty ones say nothing.
 *
 * @throws RingstrasseError DOCUMENT_INVALID: halves of pairs, unknown blocks; DOCUMENT_UNSUPPORTED: single neurons
 */
export function readShortcuts(connections: XmlElement, ids: readonly string[], find: FindBlock): Shortcut[] {
  return childrenOf(connections, "shortcuts").flatMap((shortcuts) => {
    checkElement(shortcuts, { repeated: ["fromneuron", "toneuron"] });
    for (const neuron of shortcuts.children) checkElement(neuron, { text: true });
    if (shortcuts.children.every(({ text }) => text === "")) return [];
    return readPairs(shortcuts.children, (element) => {
      refuseSingleNeuron(element, ids);
      return find(element);
    });
  });
}

function readPairs(neurons: readonly XmlElement[], find: FindBlock): Shortcut[] {
  const pairs: Shortcut[] = [];
  for (let index = 0; index < neurons.length; index += 2) {
    const [from, to] = [neurons[index], neurons[index + 1]];
    if (from === undefined) break;
    if (from.name !== "fromneuron" || to?.name !== "toneuron") {
      const remedy = "Write one <fromneuron> and then one <toneuron> for each shortcut";
      throw invalidAt(from.place, "fromneuron and toneuron don't come in pairs", remedy);
    }
    pairs.push({ from: find(from), to: find(to), element: to });
  }
  return pairs;
}

/** e.g. `Input1.3`, `Hidden1[2]`, `Hidden1:2` */
function refuseSingleNeuron(element: XmlElement, ids: readonly string[]): void {
  if (ids.includes(element.text)) return;
  const block = ids.find(
    (id) => element.text.startsWith(id) && /^[\s.:/#_[(-]+\d+[\])]?$/.test(element.text.slice(id.length)),
  );
  if (block === undefined) return;
  const problem = `${quote(element.text)} names a single neuron, and those can't be connected on their own`;
  throw unsupportedAt(element.place, problem, [`whole blocks, e.g. ${block}`]);
}
