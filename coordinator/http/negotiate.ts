import { HttpRefusal } from "./http-refusal.js";

interface Range {
  readonly type: string;
  readonly subtype: string;
  /** 0 … 1 */
  readonly quality: number;
}

/**
 * The one of `offered` (e.g. `application/json`) that a client with this `Accept` header likes best: the highest quality, then what it
 * names first, then the order of `offered`. `text/xml` and anything `+xml` ask for `application/xml`, likewise with JSON. Pure.
 * Source: RFC 9110 §12.5.1.
 * @throws HttpRefusal 406 when it likes none of them
 */
export function negotiate<Type extends string>(accept: string | undefined, offered: readonly [Type, ...Type[]]): Type {
  if (accept === undefined || accept.trim() === "") return offered[0];
  const ranges = accept.split(",").flatMap(readRange);
  const liked = offered.map((type) => ({ type, ...liking(ranges, type) })).filter(({ quality }) => quality > 0);
  liked.sort((left, right) => right.quality - left.quality || left.place - right.place);
  const [best] = liked;
  if (best !== undefined) return best.type;
  throw new HttpRefusal({
    status: 406,
    code: "NOT_ACCEPTABLE",
    problem: `this route does not answer with ${JSON.stringify(accept.slice(0, 100))}`,
    remedy: `Accept ${offered.join(" or ")}`,
  });
}

function readRange(text: string): Range[] {
  const [range = "", ...parameters] = text.toLowerCase().split(";");
  const match = /^\s*([^\s/]+)\/([^\s/]+)\s*$/.exec(range);
  if (match === null) return [];
  const quality = parameters
    .map((parameter) => /^\s*q\s*=(.*)$/.exec(parameter)?.[1])
    .find((value) => value !== undefined);
  const [, type = "", subtype = ""] = match;
  const value = quality === undefined ? 1 : Number(quality);
  return [{ type, subtype, quality: Number.isFinite(value) ? Math.min(1, value) : 0 }];
}

/** By the most specific range that speaks of `offered`; the place is the range's among all. */
function liking(ranges: readonly Range[], offered: string): { readonly quality: number; readonly place: number } {
  let best = { quality: 0, place: ranges.length, specificity: 0 };
  for (const [place, range] of ranges.entries()) {
    const specificity = specificityFor(range, offered);
    if (specificity > best.specificity) best = { quality: range.quality, place, specificity };
  }
  return best;
}

/** 0: the range doesn't speak of `offered`; higher is closer. */
function specificityFor({ type, subtype }: Range, offered: string): number {
  if (`${type}/${subtype}` === offered) return 5;
  const [offeredType = "", offeredSubtype = ""] = offered.split("/");
  const hasSuffix = offeredSubtype === "xml" || offeredSubtype === "json";
  if (hasSuffix && type === "text" && subtype === offeredSubtype) return 4;
  if (hasSuffix && subtype.endsWith(`+${offeredSubtype}`)) return 3;
  if (type === offeredType && subtype === "*") return 2;
  return type === "*" && subtype === "*" ? 1 : 0;
}
