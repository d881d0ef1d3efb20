import { CollectiveNameSchema } from "../../shared/collective-choice.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { GroupPolicy } from "../group/group-policy.js";
import type { ReadJob } from "./plan-run.js";
import { refuseAsync } from "./refuse-async.js";
import { refusedPair } from "./refused-pair.js";

/** What document and options say, without where the job will run. */
export type JobWishes = Pick<ReadJob, "definition" | "settings" | "options">;

/**
 * Refuses what does not go together wherever the job runs. Pure.
 * @param file the document, for messages; null when it came from elsewhere
 * @throws RingstrasseError CHOICE_UNSUPPORTED; DOCUMENT_UNSUPPORTED where the document alone asks for both
 */
export function refuseContradictions(job: JobWishes, file: string | null): void {
  refuseTopkElsewhere(job, file);
  refuseAsync({ ...job, file, collective: namedCollective(job) });
}

/**
 * MPI's messages go between processes that MPI's launcher has started, and as MPI sends them.
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE, USAGE, CHOICE_UNSUPPORTED
 */
export function refuseUnfitCollective(job: JobWishes): void {
  const { options, settings } = job;
  const mode = options["mpi-mode"];
  if (options.encrypt === true && wantedCollective(job) === "mpi") {
    const problem = "with the collective mpi, gradients go by MPI's own messages, which it can't encrypt";
    const remedy = "Leave it out where MPI's network is trusted, or take --collective ring";
    throw new RingstrasseError({ code: "USAGE", option: "--encrypt", problem, remedy });
  }
  if (wantedCollective(job) !== "mpi") {
    if (mode === undefined) return;
    const remedy = "Leave it out, or give --collective mpi";
    throw new RingstrasseError({
      code: "USAGE",
      option: "--mpi-mode",
      problem: "it is a mode of the collective mpi",
      remedy,
    });
  }
  if (mode === "allreduce" && settings.step.compress.value !== "none") {
    const remedy = "MPI adds float32 numbers: choose --mpi-mode ordered, or leave the exchange as it is";
    const what = { option: `--compress ${settings.step.compress.value} with --mpi-mode`, value: mode };
    throw new RingstrasseError({ code: "CHOICE_UNSUPPORTED", ...what, supported: ["ordered"], remedy });
  }
  if (options.launcher === "mpirun") return;
  const problem = "these workers are not started by MPI's launcher";
  const ranks = settings.workers.value;
  const remedy = `Start them by: mpirun -np ${ranks} ringstrasse train DEF.xml --collective mpi (under Slurm also srun --mpi=pmix or --mpi=pmi2)`;
  throw new RingstrasseError({ code: "COLLECTIVE_UNAVAILABLE", collective: "mpi", problem, remedy });
}

/** What option or document ask for; what neither does any more has been refused. */
export function wantedCollective(job: JobWishes): GroupPolicy["collective"] {
  const named = namedCollective(job);
  if (named !== "auto") return named;
  // Only there the largest gradients can travel alone.
  if (job.settings.step.compress.value === "topk") return "ring";
  const { options } = job;
  // Whoever chooses sockets wants them used.
  return options.transport === "tcp" || options.transport === "ipc" ? "ring" : "auto";
}

/** By option or document. */
function namedCollective(job: JobWishes): GroupPolicy["collective"] {
  const named = CollectiveNameSchema.safeParse(wishOf(job));
  return named.success ? named.data : "auto";
}

function wishOf({ options, definition }: JobWishes): string {
  return options.collective ?? definition.execution.collective ?? "auto";
}

/** Through shared memory nothing is sent, so there is nothing to leave out. */
function refuseTopkElsewhere(job: JobWishes, file: string | null): void {
  const wish = wishOf(job);
  const { compress } = job.settings.step;
  if (compress.value !== "topk" || wish === "auto" || wish === "ring") return;
  const inDocument = compress.source === "document" && job.options.collective === undefined;
  throw refusedPair({
    option: "--compress topk with --collective",
    value: wish,
    supported: ["auto", "ring"],
    remedy:
      "The largest gradients travel round a ring of sockets, for slow links: leave --collective out, or --compress",
    element: {
      file,
      path: inDocument ? (job.definition.execution.paths["collective"] ?? null) : null,
      problem: `the largest gradients, which compress topk sends, travel round a ring of sockets, not by the collective ${wish}`,
      supported: ["auto", "ring", "another compress"],
    },
  });
}
