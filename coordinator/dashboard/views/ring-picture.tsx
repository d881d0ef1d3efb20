import { formatRanges } from "../stores/format.js";
import { ringGeometry } from "../stores/ring-geometry.js";

export interface RingNode {
  readonly rank: number;
  readonly host: string;
  readonly replicas: readonly number[];
  /** What is to be seen at once. */
  readonly mark: "slow" | "lost" | null;
}

/** Nodes too small for a second line of text show their rank only. */
const ROOM_FOR_REPLICAS = 24;
const ROOM_FOR_RANK = 8;

/** Workers in a circle with the replicas that each computes; arrows show which way gradients go. By rank. */
export function RingPicture({ nodes }: { readonly nodes: readonly RingNode[] }) {
  if (nodes.length === 0) return null;
  const { size, nodeRadius, nodes: places, arrows } = ringGeometry(nodes.length);
  return (
    <svg class="ring" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={describe(nodes)}>
      <defs>
        <marker id="arrow-head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="6" markerHeight="6" orient="auto">
          <path d="M0 0 L8 4 L0 8 z" class="arrow-head" />
        </marker>
      </defs>
      {arrows.map(({ from, to, radius }) => (
        <path
          key={`${from.x} ${from.y}`}
          class="arrow"
          d={`M${from.x} ${from.y} A${radius} ${radius} 0 0 1 ${to.x} ${to.y}`}
          marker-end="url(#arrow-head)"
        />
      ))}
      {nodes.map((node, index) => {
        const place = places[index];
        if (place === undefined) return null;
        return (
          <g key={node.rank} class={`node ${node.mark ?? ""}`} transform={`translate(${place.x} ${place.y})`}>
            <title>{titleOf(node)}</title>
            <circle r={nodeRadius} />
            <NodeText node={node} radius={nodeRadius} />
          </g>
        );
      })}
    </svg>
  );
}

function NodeText({ node, radius }: { readonly node: RingNode; readonly radius: number }) {
  if (radius < ROOM_FOR_RANK) return null;
  if (radius < ROOM_FOR_REPLICAS) return <text class="rank">{node.rank}</text>;
  return (
    <>
      <text class="rank" y="-7">
        {node.rank}
      </text>
      <text class="replicas" y="9">
        {node.mark ?? `r ${formatRanges(node.replicas)}`}
      </text>
    </>
  );
}

function titleOf({ rank, host, replicas, mark }: RingNode): string {
  return `rank ${rank} on ${host}, replicas ${formatRanges(replicas)}${mark === null ? "" : `, ${mark}`}`;
}

function describe(nodes: readonly RingNode[]): string {
  const marked = nodes.filter(({ mark }) => mark !== null).map(titleOf);
  const rest = marked.length === 0 ? "" : `; ${marked.join("; ")}`;
  return `Ring of ${nodes.length} ${nodes.length === 1 ? "worker" : "workers"}${rest}`;
}
