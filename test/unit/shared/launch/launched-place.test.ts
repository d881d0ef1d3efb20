import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { launchedPlace } from "../../../../shared/launch/launched-place.js";
import { rankOfCommand } from "../../../../shared/launch/rank-of-command.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const OPEN_MPI = {
  OMPI_COMM_WORLD_RANK: "1",
  OMPI_COMM_WORLD_SIZE: "4",
  OMPI_COMM_WORLD_LOCAL_RANK: "1",
  OMPI_COMM_WORLD_LOCAL_SIZE: "4",
};
const HYDRA = { PMI_RANK: "2", PMI_SIZE: "3", MPI_LOCALRANKID: "0", MPI_LOCALNRANKS: "1" };
/** What every process of a batch job has, the one of the script included. */
const BATCH = { SLURM_JOB_ID: "7", SLURM_PROCID: "0", SLURM_NTASKS: "8", SLURM_LOCALID: "0" };
/** Of the shell that salloc opens on the first of its nodes. */
const SHELL = {
  SLURM_JOB_ID: "7",
  SLURM_NTASKS: "16",
  SLURM_TASKS_PER_NODE: "8(x2)",
  SLURM_PROCID: "0",
  SLURM_LOCALID: "0",
  SLURM_STEP_ID: "4294967290",
  SLURM_STEP_NUM_NODES: "1",
  SLURM_STEP_NUM_TASKS: "1",
  SLURM_STEP_TASKS_PER_NODE: "1",
};
const PTY = { ...SHELL, SLURM_STEP_ID: "0", SLURM_PTY_PORT: "40123" };
const TORCHRUN = { RANK: "1", WORLD_SIZE: "2", LOCAL_RANK: "1", MASTER_ADDR: "h", MASTER_PORT: "29500" };
const POD = { JOB_COMPLETION_INDEX: "2", WORLD_SIZE: "3", MASTER_ADDR: "train-0.train" };

describe("launchedPlace", () => {
  it.each([
    ["nothing at all", {}, null],
    ["Open MPI", OPEN_MPI, { launcher: "openmpi", rank: 1, worldSize: 4, localRank: 1, isOneHost: true }],
    ["Hydra on several hosts", HYDRA, { launcher: "pmi", rank: 2, worldSize: 3, localRank: 0, isOneHost: false }],
    [
      "PMI by Slurm, without local ranks",
      { PMI_RANK: "0", PMI_SIZE: "2" },
      { launcher: "pmi", localRank: null, isOneHost: false },
    ],
    ["one rank is one host", { PMI_RANK: "0", PMI_SIZE: "1" }, { launcher: "pmi", worldSize: 1, isOneHost: true }],
    [
      "srun --mpi=pmix",
      { ...BATCH, SLURM_STEP_ID: "0", SLURM_STEP_NUM_TASKS: "2", PMIX_RANK: "1" },
      { launcher: "pmix", rank: 1, worldSize: 2, isOneHost: false },
    ],
    [
      "srun",
      { ...BATCH, SLURM_STEP_ID: "0" },
      { launcher: "slurm", rank: 0, worldSize: 8, localRank: 0, localSize: null },
    ],
    [
      "srun on nodes of two",
      { ...BATCH, SLURM_STEP_ID: "0", SLURM_STEP_TASKS_PER_NODE: "2(x4)" },
      { launcher: "slurm", localSize: 2, isOneHost: false },
    ],
    [
      "srun on nodes that differ",
      { ...BATCH, SLURM_STEP_ID: "0", SLURM_STEP_TASKS_PER_NODE: "3,2(x2),1" },
      { launcher: "slurm", localSize: null, isOneHost: false },
    ],
    [
      "srun on one node",
      { ...BATCH, SLURM_STEP_ID: "0", SLURM_STEP_TASKS_PER_NODE: "8" },
      { launcher: "slurm", localSize: 8, isOneHost: true },
    ],
    ["a batch script, which is no rank", BATCH, null],
    [
      "mpirun inside a batch job, where Slurm's rank is wrong",
      { ...BATCH, ...OPEN_MPI },
      { launcher: "openmpi", rank: 1 },
    ],
    ["a shell of salloc, which is no rank", SHELL, null],
    ["a shell of salloc where Slurm starts by PMIx", { ...SHELL, PMIX_RANK: "0" }, null],
    ["a shell of salloc where Slurm starts by PMI", { ...SHELL, PMI_RANK: "0", PMI_SIZE: "1", PMI_FD: "9" }, null],
    ["a shell of srun --pty", PTY, null],
    ["srun of several from a shell", { ...PTY, SLURM_STEP_NUM_TASKS: "2" }, { launcher: "slurm", worldSize: 2 }],
    ["srun of one", { ...SHELL, SLURM_STEP_ID: "0" }, { launcher: "slurm", rank: 0, worldSize: 1 }],
    [
      "Hydra from a shell, for hosts that Slurm's variables of the shell don't count",
      { ...SHELL, ...HYDRA, PMI_SIZE: "4", MPI_LOCALNRANKS: "2" },
      { launcher: "pmi", worldSize: 4, localSize: 2, isOneHost: false },
    ],
    [
      "one rank of Hydra's from a shell",
      { ...SHELL, PMI_RANK: "0", PMI_SIZE: "1", MPI_LOCALRANKID: "0", MPI_LOCALNRANKS: "1" },
      { launcher: "pmi", worldSize: 1 },
    ],
    ["torchrun from a shell", { ...SHELL, ...TORCHRUN }, { launcher: "torchrun", rank: 1 }],
    ["Hydra started by srun", { ...BATCH, SLURM_STEP_ID: "0", ...HYDRA }, { launcher: "pmi", rank: 2, worldSize: 3 }],
    [
      "Open MPI before all others",
      { ...TORCHRUN, ...HYDRA, ...OPEN_MPI },
      { launcher: "openmpi", rank: 1, worldSize: 4 },
    ],
    ["torchrun", TORCHRUN, { launcher: "torchrun", rank: 1, worldSize: 2, localRank: 1 }],
    [
      "a pod of an Indexed Job",
      POD,
      { launcher: "kubernetes", rank: 2, worldSize: 3, localRank: null, isOneHost: false },
    ],
    ["the only pod of an Indexed Job", { JOB_COMPLETION_INDEX: "0", WORLD_SIZE: "1" }, { isOneHost: true }],
    ["a pod of an Indexed Job whose pods have nothing to do with each other", { JOB_COMPLETION_INDEX: "2" }, null],
    ["a pod whose manifest names a port too", { ...POD, MASTER_PORT: "29500" }, { launcher: "kubernetes", rank: 2 }],
    ["torchrun in each pod", { ...POD, ...TORCHRUN }, { launcher: "torchrun", rank: 1, worldSize: 2 }],
    ["mpirun in a pod", { ...POD, ...OPEN_MPI }, { launcher: "openmpi", rank: 1, worldSize: 4 }],
    ["RANK that somebody set for something else", { RANK: "1", WORLD_SIZE: "2" }, null],
  ] as const)("%s", (_, environment, expected) => {
    const place = launchedPlace(environment);
    if (expected === null) expect(place).toBeNull();
    else expect(place).toMatchObject(expected);
  });

  it.each([
    [
      "a rank without a size",
      { OMPI_COMM_WORLD_RANK: "0" },
      ["OMPI_COMM_WORLD_RANK is set", "OMPI_COMM_WORLD_SIZE is not"],
    ],
    ["a size without a rank", { PMI_SIZE: "2" }, ["PMI_SIZE is set", "PMI_RANK is not"]],
    [
      "a step without sizes",
      { SLURM_STEP_ID: "0", SLURM_PROCID: "0" },
      ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS or SLURM_NTASKS"],
    ],
    ["a rank beyond the size", { PMI_RANK: "2", PMI_SIZE: "2" }, ['PMI_RANK is "2"', 'PMI_SIZE is "2"']],
    ["an index beyond the size", { ...POD, WORLD_SIZE: "2" }, ['JOB_COMPLETION_INDEX is "2"', 'WORLD_SIZE is "2"']],
    ["no number", { PMI_RANK: "-1", PMI_SIZE: "2" }, ['PMI_RANK is "-1"']],
    [
      "a local rank beyond the rank",
      { ...OPEN_MPI, OMPI_COMM_WORLD_LOCAL_RANK: "2" },
      ["OMPI_COMM_WORLD_LOCAL_RANK is 2"],
    ],
    ["more here than anywhere", { ...HYDRA, MPI_LOCALNRANKS: "4" }, ["MPI_LOCALNRANKS is 4", "PMI_SIZE"]],
  ] as const)("refuses %s, naming the variables", async (_, environment, named) => {
    const failure = await failureWithCode("USAGE", () => launchedPlace(environment));
    for (const name of named) expect(failure.problem).toContain(name);
    expect(failure.remedy).toContain("--launcher local");
  });
});

describe("rankOfCommand", () => {
  it("is a rank, unless an option says how workers start", () => {
    expect(rankOfCommand(["net.xml"], OPEN_MPI)).toMatchObject({ rank: 1 });
    expect(rankOfCommand(["net.xml", "--launcher", "local"], OPEN_MPI)).toBeNull();
    expect(rankOfCommand(["net.xml", "--launcher=none"], OPEN_MPI)).toBeNull();
    expect(rankOfCommand(["net.xml"], { ...OPEN_MPI, RINGSTRASSE_LAUNCHER: "local" })).toBeNull();
    expect(rankOfCommand(["net.xml"], {})).toBeNull();
  });

  it("is told by the config file too how workers start", async () => {
    const file = join(await temporaryDirectory(), "options.json");
    await writeFile(file, '{"launcher": "local"}');
    expect(rankOfCommand(["net.xml", "--config", file], OPEN_MPI)).toBeNull();
    expect(rankOfCommand(["net.xml"], { ...OPEN_MPI, RINGSTRASSE_CONFIG: file })).toBeNull();
    await writeFile(file, '{"workers": 4}');
    expect(rankOfCommand(["net.xml", "--config", file], OPEN_MPI)).toMatchObject({ rank: 1 });
  });
});
