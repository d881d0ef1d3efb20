import type { Submitted } from "./submit-slurm.js";

/** For people; with a dry run the command that is left to do. Pure. */
export function describeSubmitted({ jobId, script, out, log, runs, remarks }: Submitted): string {
  const what =
    jobId === null
      ? [`not submitted, as asked: sbatch ${script}`]
      : [
          `submitted batch job ${jobId}${runs === null ? "" : `, an array of ${runs} runs`}`,
          `its output: ${log}`,
          `cancel it: scancel ${jobId}`,
        ];
  return [
    ...remarks.map((remark) => `note: ${remark}`),
    ...what,
    `its results: ${out}`,
    ...(runs === null ? [] : [`summary: ringstrasse sweep ${out}`]),
  ].join("\n");
}
