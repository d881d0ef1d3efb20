import type { BatchRequest } from "./batch-request.js";
import { renderBatchScript } from "./batch-script.js";

const CPU: BatchRequest = {
  jobName: "ringstrasse",
  nodes: 2,
  tasksPerNode: 4,
  cpusPerTask: 1,
  gpusPerNode: 0,
  partition: null,
  account: null,
  time: "1:00:00",
};

/** For those who write their batch scripts by hand: what `submit slurm` writes, with the document and its options left open. */
export const BATCH_TEMPLATES: Readonly<Record<"train.sbatch" | "train-gpu.sbatch", string>> = {
  "train.sbatch": template(CPU, ["sbatch slurm/train.sbatch DEF.xml --data ROWS.csv --replicas 8 --out DIR"]),
  "train-gpu.sbatch": template({ ...CPU, gpusPerNode: 4 }, [
    "sbatch slurm/train-gpu.sbatch DEF.xml --data ROWS.csv --replicas 8 --engine tensorflow-gpu --out DIR",
    "A rank for each GPU. Not tried on GPUs yet.",
  ]),
};

function template(request: BatchRequest, about: readonly string[]): string {
  return renderBatchScript({
    request,
    about: [
      ...about,
      "For jobs that may lose a node: --checkpoint-minutes 10.",
      "The document, its data, --out and --data-dir (~/.cache/ringstrasse/rows) have to be the same files on all nodes.",
    ],
    output: null,
    command: "ringstrasse",
    trainArguments: '"$@"',
    resume: null,
    out: null,
    files: [],
    folders: [],
  });
}
