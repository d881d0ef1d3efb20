import { BASELINE } from "./allreduce-report.js";
import type { Measure } from "./measure-systems.js";

type Named = readonly [name: string, measure: Measure];

/**
 * The order in which systems are measured: what ratios are taken of stands as near as may be, since minutes lie between the first and the last of
 * a round. The baseline in the middle of ours; each of ours over an MPI before that MPI. Pure.
 */
export function sideBySide(
  own: readonly Named[],
  overMpi: readonly { readonly name: string; readonly peer: string; readonly measure: Measure }[],
  peers: readonly Named[],
): readonly Named[] {
  const half = own.length >> 1;
  const baseline = peers.filter(([name]) => name === BASELINE);
  const others = peers.filter(([name]) => name !== BASELINE);
  const pairs = others.flatMap((peer) => {
    const ours = overMpi.filter((one) => one.peer === peer[0]);
    return [...ours.map(({ name, measure }): Named => [name, measure]), peer];
  });
  const unpaired = overMpi.filter((one) => others.every(([name]) => name !== one.peer));
  const alone = unpaired.map(({ name, measure }): Named => [name, measure]);
  return [...own.slice(0, half), ...baseline, ...own.slice(half), ...alone, ...pairs];
}
