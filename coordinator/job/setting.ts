import type { OptionSource } from "../../shared/cli/option-table.js";

/** A value and where it comes from: printed at the start of a run, and kept with its result. */
export interface Setting<T> {
  readonly value: T;
  readonly source: OptionSource | "document" | "default";
}

/** What was given for one setting; undefined: nothing. */
export interface Given<T> {
  readonly option: T | undefined;
  /** Of the option; undefined: the command line. */
  readonly source: OptionSource | undefined;
  readonly document: T | undefined;
}

/** An option ranks over the document, the document over the default. Pure. */
export function settle<T>({ option, source, document }: Given<T>, fallback: T): Setting<T> {
  if (option !== undefined) return { value: option, source: source ?? "flag" };
  return document !== undefined ? { value: document, source: "document" } : { value: fallback, source: "default" };
}
