import type { CollectiveName } from "../../shared/collective-choice.js";
import type { WorkerRecord } from "./worker-record.js";

/** One worker's place on the ring, as far as its links are concerned. */
export interface RingLink {
  /** Of the link from the previous worker. */
  readonly transport: "tcp" | "ipc";
  readonly sharesMemory: { readonly withPrevious: boolean; readonly withNext: boolean };
}

export interface RingWish {
  /** That are to run over the links. */
  readonly collectives: readonly CollectiveName[];
  /** Of all links, but for a hierarchical ring, which takes `ipc` inside a host and `tcp` between hosts. */
  readonly transport: "tcp" | "ipc";
}

/** The links of a ring of these workers, by rank. Pure. */
export function ringLinks(workers: readonly WorkerRecord[], { collectives, transport }: RingWish): RingLink[] {
  const byHop = collectives.includes("hierarchical");
  return workers.map((worker, rank) => {
    const withPrevious = shareMemory(worker, workers.at(rank - 1));
    const withNext = shareMemory(worker, workers[(rank + 1) % workers.length]);
    const hop = withPrevious ? "ipc" : "tcp";
    return { transport: byHop ? hop : transport, sharesMemory: { withPrevious, withNext } };
  });
}

/** By their own word on joining. */
export function shareMemory(one: WorkerRecord, other: WorkerRecord | undefined): boolean {
  return one.join.memoryDomain !== null && one.join.memoryDomain === other?.join.memoryDomain;
}
