import { invalidAt, quote } from "./document-error.js";
import { checkElement, foldName } from "./element-rule.js";
import type { XmlElement } from "./xml-element.js";

/**
 * One `<valueparameter name="…">`, `<boolparameter …>` or `<comboparameter …>`. Its kind is not told apart: samples
 * mix them up.
 */
export interface NamedValue {
  /** As written. */
  readonly name: string;
  /** Folded: case, blanks, `_` and `-` don't count. */
  readonly key: string;
  readonly element: XmlElement;
}

const kinds = ["valueparameter", "boolparameter", "comboparameter"];

/**
 * The parameters in an element of type `parametervalue` (`parameters`, `general`, `special`), in document order.
 *
 * @throws RingstrasseError DOCUMENT_INVALID: a parameter without name; as {@link checkElement}.
 */
export function readNamedValues(parent: XmlElement | undefined): NamedValue[] {
  if (parent === undefined) return [];
  checkElement(parent, { repeated: kinds });
  return parent.children.map((element) => {
    checkElement(element, { text: true, attributes: ["name"] });
    const name = element.attributes.get("name") ?? "";
    if (foldName(name) === "") {
      throw invalidAt(element.place, `<${element.name}> has no name`, 'Add the attribute name="…"');
    }
    return { name, key: foldName(name), element };
  });
}

/**
 * Values by what they mean. The same meaning may be given twice, even under two names, as long as the text is the same.
 *
 * @param meaningOf the meaning of a parameter; must throw on those that are not known.
 * @throws RingstrasseError DOCUMENT_INVALID: two different values for one meaning.
 */
export function byMeaning<Meaning extends string>(
  values: readonly NamedValue[],
  meaningOf: (value: NamedValue) => Meaning,
): Map<Meaning, NamedValue> {
  const found = new Map<Meaning, NamedValue>();
  for (const value of values) {
    const meaning = meaningOf(value);
    const earlier = found.get(meaning);
    if (earlier === undefined) {
      found.set(meaning, value);
      continue;
    }
    if (earlier.element.text.toLowerCase() === value.element.text.toLowerCase()) continue;
    const problem =
      `${value.name} is ${quote(value.element.text)}, but ${earlier.name} at ${earlier.element.place.elementPath} ` +
      `(line ${earlier.element.place.line}) is ${quote(earlier.element.text)}, and both mean the same`;
    throw invalidAt(value.element.place, problem, "Keep one of the two");
  }
  return found;
}
