import { describe, expect, it } from "vitest";
import { beginMpi } from "../../../../worker/mpi/mpi-library.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

describe("beginMpi", () => {
  it("names a library that isn't there, and the packages that bring one", async () => {
    const failure = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => beginMpi("libmpi-that-is-nowhere.so.1"));
    expect(failure.problem).toMatch(/^libmpi-that-is-nowhere\.so\.1 can't be loaded \(/);
    expect(failure.remedy).toMatch(/openmpi-bin.*mpich.*--mpi-library/);
  });

  it("refuses a library that is no MPI, before it calls anything of it", async () => {
    const failure = await failureWithCode("COLLECTIVE_UNAVAILABLE", () => beginMpi("libm.so.6"));
    expect(failure.problem).toMatch(/^libm\.so\.6 is not an MPI that can be used here \(.*MPI_/);
    expect(failure.remedy).toContain("--mpi-library");
  });
});
