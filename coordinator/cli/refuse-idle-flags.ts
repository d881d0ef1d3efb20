import type { ParsedCommand } from "../../shared/cli/parse-command.js";
import { RingstrasseError } from "../../shared/failure.js";
import { hasMpi, type LaunchedPlace } from "../../shared/launch/launched-place.js";
import type { ReadJob } from "../job/plan-run.js";
import { wantedCollective } from "../job/wanted-collective.js";
import type { TRAIN_OPTIONS, TrainOptions } from "./train-options.js";

type ParsedTrain = Pick<ParsedCommand<typeof TRAIN_OPTIONS>, "values" | "sources">;

const OF_MPI = ["mpi-library", "mpi-binding", "mpi-compiler"] as const;

/** Only ranks find each other by it; elsewhere addresses do. @param place null: these workers are no ranks. @throws RingstrasseError USAGE */
export function refuseIdleInterface(options: TrainOptions, place: LaunchedPlace | null): void {
  if (options.interface === undefined || place !== null) return;
  const problem = "it is for ranks of mpirun, srun, torchrun or Kubernetes, which these workers are not";
  const remedy = "Leave it out; workers started by hand take --host here, and --address there";
  throw idle("--interface", problem, remedy);
}

/**
 * Refuses flags that would mean nothing here; variables and config files may be meant for other runs as well. Pure.
 * @param place null: these workers are no ranks
 * @throws RingstrasseError USAGE
 */
export function refuseIdleFlags(command: ParsedTrain, place: LaunchedPlace | null): void {
  const { values, sources } = command;
  const ofMpi = OF_MPI.find((name) => sources[name] === "flag");
  if (ofMpi !== undefined && (place === null || !hasMpi(place.launcher))) {
    const problem = "it is for ranks of mpirun or of srun with MPI, which these workers are not";
    throw idle(`--${ofMpi}`, problem, "Leave it out, or start ranks: mpirun -np N ringstrasse train DEF.xml");
  }
  if (sources["report-token"] === "flag" && values["report-to"] === undefined)
    throw idle("--report-token", "there is no server to report to", "Give --report-to too, or leave it out");
  refuseIdleSplit(command);
}

/** 0 says what holds. @throws RingstrasseError USAGE where a flag asks for test rows of the training data beside those that are given */
export function refuseIdleSplit({ values, sources }: ParsedTrain): void {
  if (sources["test-split"] !== "flag" || values["test-split"] === 0 || values["test-data"] === undefined) return;
  const problem = "the test rows are those of --test-data, and nothing is split off the training data";
  throw idle("--test-split", problem, "Leave one of the two out");
}

/** @throws RingstrasseError USAGE where nothing would go over the links that a flag chooses */
export function refuseIdleTransport(job: ReadJob, sources: ParsedTrain["sources"]): void {
  const collective = wantedCollective(job);
  const { transport } = job.options;
  if (sources.transport !== "flag" || transport === undefined || transport === "auto") return;
  if (collective !== "shm" && collective !== "mpi") return;
  const problem = `the collective ${collective} has no links of its own to send gradients over`;
  throw idle("--transport", problem, "Leave it out, or take --collective ring");
}

function idle(option: string, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "USAGE", option, problem, remedy });
}
