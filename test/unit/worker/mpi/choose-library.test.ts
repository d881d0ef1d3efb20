import { describe, expect, it } from "vitest";
import { chooseLibrary } from "../../../../worker/mpi/choose-library.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

describe("chooseLibrary", () => {
  it.each([
    ["openmpi", "libmpi.so.40"],
    ["pmix", "libmpi.so.40"],
    ["pmi", "libmpich.so.12"],
  ] as const)("%s: %s, unless the user names another", (launcher, file) => {
    expect(chooseLibrary(launcher, null)).toBe(file);
    expect(chooseLibrary(launcher, "/opt/mpi/libmpi.so")).toBe("/opt/mpi/libmpi.so");
  });

  it.each([
    ["slurm", "srun", "--mpi=pmix"],
    ["torchrun", "torchrun", "mpirun -np N"],
  ] as const)("%s starts ranks that can't find each other by MPI", async (launcher, name, remedy) => {
    const failure = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => chooseLibrary(launcher, null));
    expect(failure).toMatchObject({ collective: "mpi", problem: expect.stringMatching(`^${name} started`) });
    expect(failure.remedy).toContain(remedy);
    expect(failure.remedy).toContain("--launcher local");
  });
});
