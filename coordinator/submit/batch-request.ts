/** What a batch job asks its cluster for. */
export interface BatchRequest {
  readonly jobName: string;
  readonly nodes: number;
  readonly tasksPerNode: number;
  readonly cpusPerTask: number;
  /** One for each task; 0: none. */
  readonly gpusPerNode: number;
  /** Null: the cluster's default. */
  readonly partition: string | null;
  readonly account: string | null;
  /** As Slurm writes it; null: the partition's. */
  readonly time: string | null;
}
