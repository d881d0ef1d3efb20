import { z } from "zod";

const whole = z.number().int().nonnegative();

export const WorkerStateSchema = z.enum(["idle", "busy", "lost"]);
export type WorkerState = z.infer<typeof WorkerStateSchema>;

/** A worker as the coordinator sees it. */
export const ClusterWorkerSchema = z.object({
  id: z.string().min(1),
  host: z.string(),
  pid: whole.nullable(),
  state: WorkerStateSchema,
  /** The job that it works for, with its place in that job's ring; null while idle. */
  jobId: z.string().nullable(),
  rank: whole.nullable(),
  replicas: z.array(whole),
  /** Name and version, e.g. `wasm 4.22.0`. */
  engine: z.string(),
  /** Milliseconds since its last sign of life, when the answer was made. */
  lastHeartbeatMs: z.number().nonnegative(),
  /** Last step that it was seen in; null while idle and before the first. */
  step: whole.nullable(),
});
export type ClusterWorker = z.infer<typeof ClusterWorkerSchema>;

/** Waiting jobs that `GET /cluster` names: pages ask for it every second, however many there are. */
export const QUEUE_SHOWN = 100;

/** `GET /cluster`. */
export const ClusterSchema = z.object({
  workers: z.array(ClusterWorkerSchema),
  /** Ids of waiting jobs, {@link QUEUE_SHOWN} at most; the first is the next to start. `GET /worker/queue` has all. */
  queue: z.array(z.string()),
  /** How many wait. */
  queued: whole,
  /** Of this software. */
  version: z.string(),
});
export type Cluster = z.infer<typeof ClusterSchema>;
