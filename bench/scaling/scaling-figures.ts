import { median } from "../support/median.js";
import { type Quartiles, quartiles } from "../support/quartiles.js";
import type { Turn } from "./competitor.js";

/** Ranks that exchange, or as many trainings that don't: what those could reach. */
export type SystemKind = "ranks" | "independent";

/** What one system did in all rounds of a case. */
export interface SystemTurns {
  readonly name: string;
  /** Who computes: systems of one side differ in the exchange alone. */
  readonly side: string;
  readonly kind: SystemKind;
  readonly isOwn: boolean;
  /** One a round. */
  readonly turns: readonly Turn[];
}

/** Figures of one system; milliseconds. */
export interface SystemFigures {
  readonly name: string;
  readonly side: string;
  readonly kind: SystemKind;
  readonly isOwn: boolean;
  readonly stepMs: Quartiles;
  /** Over all ranks, by the median step. */
  readonly rowsPerSecond: number;
  /** Of a step, waited for the exchange by its own account; null: it keeps none. */
  readonly waitedMs: number | null;
  /** Of a step, what the same side's independent trainings of the same round don't need: median. Null: nothing to compare with. */
  readonly addedMs: number | null;
  /** Independent step ÷ own step of the same round; null as above. */
  readonly efficiency: Quartiles | null;
}

/** One of ours against a peer that exchanges, both of the same rounds. */
export interface Comparison {
  readonly system: string;
  readonly peer: string;
  /** Our rows per second ÷ the peer's. */
  readonly throughput: Quartiles;
  /** Exposed exchange, ours by its own account ÷ the peer's by what its step has more than alone; null: the peer shows none. */
  readonly exposed: number | null;
  /** The same with ours, too, by what its step has more than alone. */
  readonly exposedByDifference: number | null;
}

/** @param globalBatch rows of a step over all ranks */
export function systemFigures(systems: readonly SystemTurns[], globalBatch: number): SystemFigures[] {
  return systems.map(({ name, side, kind, isOwn, turns }) => {
    const stepMs = quartiles(turns.map((turn) => turn.stepMs));
    const waited = turns.flatMap(({ waitedMs }) => waitedMs ?? []);
    const alone =
      kind === "ranks" ? systems.find((other) => other.side === side && other.kind === "independent") : null;
    const pairs = alone === undefined || alone === null ? null : paired(turns, alone.turns);
    return {
      ...{ name, side, kind, isOwn, stepMs },
      rowsPerSecond: (1000 * globalBatch) / stepMs[1],
      waitedMs: waited.length === 0 ? null : median(waited),
      addedMs: pairs === null ? null : median(pairs.map(([own, other]) => own - other)),
      efficiency: pairs === null ? null : quartiles(pairs.map(([own, other]) => other / own)),
    };
  });
}

/** Each of ours that exchanges against each peer that does. */
export function comparisons(systems: readonly SystemTurns[], globalBatch: number): Comparison[] {
  const figures = new Map(systemFigures(systems, globalBatch).map((one) => [one.name, one]));
  const ranks = systems.filter(({ kind }) => kind === "ranks");
  return ranks.flatMap((own) => {
    if (!own.isOwn) return [];
    return ranks.flatMap((peer) => {
      if (peer.isOwn) return [];
      const [ours, theirs] = [figures.get(own.name), figures.get(peer.name)];
      return {
        system: own.name,
        peer: peer.name,
        throughput: quartiles(paired(own.turns, peer.turns).map(([mine, other]) => other / mine)),
        exposed: share(ours?.waitedMs, theirs?.addedMs),
        exposedByDifference: share(ours?.addedMs, theirs?.addedMs),
      };
    });
  });
}

/** Step times of the same rounds. @throws RangeError when one of them was left out of a round */
function paired(own: readonly Turn[], other: readonly Turn[]): [number, number][] {
  if (own.length !== other.length) throw new RangeError(`${own.length} and ${other.length} rounds`);
  return own.map(({ stepMs }, round) => [stepMs, other[round]?.stepMs ?? Number.NaN]);
}

/** Null where there is nothing to take a share of. */
function share(part: number | null | undefined, whole: number | null | undefined): number | null {
  if (part === null || part === undefined || whole === null || whole === undefined || whole <= 0) return null;
  return part / whole;
}
