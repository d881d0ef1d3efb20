import { describe, expect, it } from "vitest";
import { NO_CLUSTER, reduceCluster, ringsOf } from "../../../../../coordinator/dashboard/stores/cluster-store.js";
import type { ClusterWorker } from "../../../../../shared/api/cluster.js";

const worker = (id: string, jobId: string | null, rank: number | null): ClusterWorker => ({
  id,
  host: "node01",
  pid: 1,
  state: jobId === null ? "idle" : "busy",
  jobId,
  rank,
  replicas: [],
  engine: "wasm 4.22.0",
  lastHeartbeatMs: 10,
  step: null,
});

describe("cluster store", () => {
  it("puts workers into the rings of their jobs, by rank; idle ones into none", () => {
    const rings = ringsOf([worker("c", "j2", 0), worker("b", "j1", 1), worker("x", null, null), worker("a", "j1", 0)]);
    expect(rings.map(({ jobId, workers }) => [jobId, workers.map(({ id }) => id)])).toEqual([
      ["j1", ["a", "b"]],
      ["j2", ["c"]],
    ]);
  });

  it("keeps what was known when a reading fails", () => {
    const cluster = { workers: [worker("a", null, null)], queue: ["j3"], queued: 1, version: "1.0.0" };
    const problem = { status: 0, code: "UNREACHABLE", message: "no answer", path: null, line: null };
    const failed = reduceCluster(reduceCluster(NO_CLUSTER, { kind: "loaded", cluster }), { kind: "failed", problem });
    expect(failed).toEqual({ cluster, problem });
    expect(reduceCluster(failed, { kind: "loaded", cluster }).problem).toBeNull();
  });
});
