import type { LinkCosts } from "./link-costs.js";

/** Who exchanges over what. */
export interface Cluster {
  /** N ≥ 1. */
  readonly workers: number;
  /** On each host; the last host may have fewer. */
  readonly workersPerHost: number;
  /** Between hosts. */
  readonly network: LinkCosts;
  /** Between workers of one host, through shared memory. */
  readonly memory: LinkCosts;
}

/** Seconds of one all-reduce of so many bytes. */
export type CollectiveModel = (sizeBytes: number, cluster: Cluster) => number;

export const MODEL_NAMES = ["ring", "hierarchical", "shm", "parameter-server", "tree"] as const;
export type ModelName = (typeof MODEL_NAMES)[number];

/**
 * The time of one all-reduce of n bytes over N workers by each algorithm; α, β, γ of link-costs.ts. With one worker: 0. All are pure, and
 * rise with n, α, β and γ. R = N: every worker holds one replica.
 */
export const COLLECTIVE_MODELS: Readonly<Record<ModelName, CollectiveModel>> = {
  ring,
  hierarchical,
  shm,
  "parameter-server": parameterServer,
  tree,
};

/** Which models say something of this cluster: shared memory ends at the host. */
export function applies(name: ModelName, { workers, workersPerHost }: Cluster): boolean {
  return name !== "shm" || workers <= workersPerHost;
}

/** 2(N−1)·α + 2(N−1)/N·n·β + (N−1)/N·n·γ (Patarasuk and Yuan 2009): sums go round once, totals once more. Every hop is the network's. */
function ring(sizeBytes: number, { workers, network }: Cluster): number {
  return hops(workers) * network.alphaS + moved(sizeBytes, workers, network) + added(sizeBytes, workers, network);
}

/**
 * The same ring with hops of two kinds: a frame passes every hop in turn, so that latencies add up; bytes flow through all hops at once,
 * so that the slowest kind decides.
 */
function hierarchical(sizeBytes: number, cluster: Cluster): number {
  const { workers, workersPerHost, network, memory } = cluster;
  const hosts = Math.ceil(workers / workersPerHost);
  const between = hosts === 1 ? 0 : hosts / workers;
  const alphaS = between * network.alphaS + (1 - between) * memory.alphaS;
  const kinds = between === 0 ? [memory] : between === 1 ? [network] : [network, memory];
  const flow = Math.max(...kinds.map((link) => moved(sizeBytes, workers, link)));
  return hops(workers) * alphaS + flow + added(sizeBytes, workers, memory);
}

/**
 * Workers of one host: 2α + (N+1)/N·n·β + (N−1)/N·n·γ (worker/collective/shm-collective.ts). Nothing is copied: each folds an N-th of what lies in
 * shared memory, reading it of all N and writing the sums once. At each of the two barriers all say and hear one word at the same time.
 */
function shm(sizeBytes: number, { workers, memory }: Cluster): number {
  if (workers === 1) return 0;
  const readAndWritten = ((workers + 1) / workers) * sizeBytes * memory.betaSPerByte;
  return 2 * memory.alphaS + readAndWritten + added(sizeBytes, workers, memory);
}

/** One server's link carries everything: (N−1)·n in, and as much out. 2α + 2(N−1)·n·β + (N−1)·n·γ. */
function parameterServer(sizeBytes: number, { workers, network }: Cluster): number {
  if (workers === 1) return 0;
  const others = workers - 1;
  return 2 * network.alphaS + others * sizeBytes * (2 * network.betaSPerByte + network.gammaSPerByte);
}

/**
 * What MPI libraries do, the better of two for the size (Thakur, Rabenseifner and Gropp, "Optimization of collective communication
 * operations in MPICH", 2005): recursive doubling, ⌈log₂N⌉·(α + n·(β + γ)); or Rabenseifner's reduce-scatter and all-gather by halves,
 * 2⌈log₂N⌉·α + 2(N−1)/N·n·β + (N−1)/N·n·γ: near ranks exchange the large halves, so that a host's one link carries no more than in a ring. Where N is no power of two, the ranks beyond it hand over first: 2·(α + n·β) + n·γ more.
 */
function tree(sizeBytes: number, { workers, network }: Cluster): number {
  if (workers === 1) return 0;
  const rounds = Math.floor(Math.log2(workers));
  const whole = 2 ** rounds;
  const { alphaS, betaSPerByte, gammaSPerByte } = network;
  const handOver = whole === workers ? 0 : 2 * (alphaS + sizeBytes * betaSPerByte) + sizeBytes * gammaSPerByte;
  const doubling = rounds * (alphaS + sizeBytes * (betaSPerByte + gammaSPerByte));
  const halving = 2 * rounds * alphaS + moved(sizeBytes, whole, network) + added(sizeBytes, whole, network);
  return handOver + Math.min(doubling, halving);
}

function hops(workers: number): number {
  return 2 * (workers - 1);
}

function moved(sizeBytes: number, workers: number, { betaSPerByte }: LinkCosts): number {
  return ((2 * (workers - 1)) / workers) * sizeBytes * betaSPerByte;
}

function added(sizeBytes: number, workers: number, { gammaSPerByte }: LinkCosts): number {
  return ((workers - 1) / workers) * sizeBytes * gammaSPerByte;
}
