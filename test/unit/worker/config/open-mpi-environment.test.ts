import { describe, expect, it } from "vitest";
import { withOpenMpiDefaults } from "../../../../worker/config/open-mpi-environment.js";

const ALGORITHM = "OMPI_MCA_coll_libnbc_iallreduce_algorithm";

describe("withOpenMpiDefaults", () => {
  it.each(["1", "2", "3"])("lets %s ranks of Open MPI sum by a ring", (ranks) => {
    const environment = { OMPI_COMM_WORLD_SIZE: ranks, PATH: "/bin" };
    expect(withOpenMpiDefaults(environment)).toEqual({ ...environment, [ALGORITHM]: "ring" });
  });

  it.each([
    ["more ranks", { OMPI_COMM_WORLD_SIZE: "4" }],
    ["another launcher", { PMI_SIZE: "2" }],
    ["what the user has said", { OMPI_COMM_WORLD_SIZE: "2", [ALGORITHM]: "binomial" }],
  ])("leaves %s alone", (_, environment) => {
    expect(withOpenMpiDefaults(environment)).toEqual(environment);
  });
});
