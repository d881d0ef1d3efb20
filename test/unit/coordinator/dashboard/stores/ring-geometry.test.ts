import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ringGeometry } from "../../../../../coordinator/dashboard/stores/ring-geometry.js";

const distance = (a: { x: number; y: number }, b: { x: number; y: number }) => Math.hypot(a.x - b.x, a.y - b.y);

describe("ring geometry", () => {
  it("keeps every node in the picture and apart from its neighbours, for any number of workers", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (count) => {
        const { size, nodes, nodeRadius } = ringGeometry(count);
        expect(nodes).toHaveLength(count);
        for (const [index, node] of nodes.entries()) {
          expect(Math.min(node.x, node.y, size - node.x, size - node.y)).toBeGreaterThanOrEqual(nodeRadius);
          const next = nodes[(index + 1) % count]!;
          if (count > 1) expect(distance(node, next)).toBeGreaterThan(2 * nodeRadius);
        }
      }),
    );
  });

  it("leads an arrow from each node's rim to the next one's, the last to the first; a single worker has none", () => {
    const { nodes, arrows, nodeRadius } = ringGeometry(5);
    expect(arrows).toHaveLength(5);
    for (const [index, { from, to }] of arrows.entries()) {
      expect(distance(from, nodes[index]!)).toBeCloseTo(nodeRadius + 4);
      expect(distance(to, nodes[(index + 1) % 5]!)).toBeCloseTo(nodeRadius + 4);
    }
    expect(ringGeometry(1).arrows).toEqual([]);
  });
});
