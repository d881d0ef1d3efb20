/** A place in the picture's own units. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface RingGeometry {
  /** Width and height. */
  readonly size: number;
  readonly nodeRadius: number;
  /** Centres, clockwise; the first is on top. */
  readonly nodes: readonly Point[];
  /** From each node to the next, between their rims; none when there is one node. */
  readonly arrows: readonly { readonly from: Point; readonly to: Point; readonly radius: number }[];
}

const SIZE = 320;
const LARGEST_NODE = 30;
const RIM = 4;

/** Pure. The ring of `count` ≥ 1 workers as a circle; nodes shrink so that neighbours never touch. */
export function ringGeometry(count: number): RingGeometry {
  const centre = SIZE / 2;
  const apart = count === 1 ? Math.PI : Math.PI / count;
  // Nodes of radius r on a circle of radius R = centre − r − RIM are 2 R sin(π / n) apart; leave as much between them as they take.
  const fitting = ((centre - RIM) * Math.sin(apart)) / (2 + Math.sin(apart));
  const nodeRadius = count === 1 ? LARGEST_NODE : Math.min(LARGEST_NODE, fitting);
  const radius = centre - nodeRadius - RIM;
  const at = (angle: number): Point => ({
    x: centre + radius * Math.sin(angle),
    y: centre - radius * Math.cos(angle),
  });
  const turn = (2 * Math.PI) / count;
  const nodes =
    count === 1 ? [{ x: centre, y: centre }] : Array.from({ length: count }, (_, index) => at(index * turn));
  // The angle that a node's rim, and a little air, takes of the circle.
  const clear = 2 * Math.asin(Math.min(1, (nodeRadius + RIM) / (2 * radius)));
  const arrows =
    count === 1
      ? []
      : nodes.map((_, index) => ({ from: at(index * turn + clear), to: at((index + 1) * turn - clear), radius }));
  return { size: SIZE, nodeRadius, nodes, arrows };
}
