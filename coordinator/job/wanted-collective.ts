import { CollectiveNameSchema } from "../../shared/collective-choice.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { GroupPolicy } from "../group/group-policy.js";
import type { ReadJob } from "./plan-run.js";

/**
 * MPI's messages go between processes that MPI's launcher has started, and as MPI sends them; the largest gradients go round a plain ring.
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE, USAGE, CHOICE_UNSUPPORTED
 */
export function refuseUnfitCollective(job: ReadJob): void {
  const { options, settings } = job;
  refuseTopkElsewhere(job);
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
export function wantedCollective(job: ReadJob): GroupPolicy["collective"] {
  const named = namedCollective(job);
  if (named !== "auto") return named;
  // Only there the largest gradients can travel alone.
  if (job.settings.step.compress.value === "topk") return "ring";
  const { options } = job;
  // Whoever chooses sockets wants them used.
  return options.transport === "tcp" || options.transport === "ipc" ? "ring" : "auto";
}

/** By option or document. */
export function namedCollective(job: ReadJob): GroupPolicy["collective"] {
  const named = CollectiveNameSchema.safeParse(wishOf(job));
  return named.success ? named.data : "auto";
}

function wishOf({ options, definition }: ReadJob): string {
  return options.collective ?? definition.execution.collective ?? "auto";
}

/** Through shared memory nothing is sent, so there is nothing to leave out. @throws RingstrasseError CHOICE_UNSUPPORTED */
function refuseTopkElsewhere(job: ReadJob): void {
  const wish = wishOf(job);
  if (job.settings.step.compress.value !== "topk" || wish === "auto" || wish === "ring") return;
  const remedy =
    "The largest gradients travel round a ring of sockets, for slow links: leave --collective out, or --compress";
  const what = { option: "--compress topk with --collective", value: wish };
  throw new RingstrasseError({ code: "CHOICE_UNSUPPORTED", ...what, supported: ["auto", "ring"], remedy });
}
