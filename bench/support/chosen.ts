/** Those of the known names that a list says, in its order. @throws Error naming what is not known */
export function chosen<Name extends string>(text: string, known: readonly Name[]): Name[] {
  return text.split(",").map((name) => {
    const found = known.find((candidate) => candidate === name);
    if (found === undefined) throw new Error(`there is no ${name}; there are ${known.join(", ")}`);
    return found;
  });
}
