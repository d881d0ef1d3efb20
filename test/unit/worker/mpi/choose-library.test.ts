import { describe, expect, it } from "vitest";
import { chooseLibrary } from "../../../../worker/mpi/choose-library.js";

describe("chooseLibrary", () => {
  it.each([
    ["openmpi", "libmpi.so.40"],
    ["pmix", "libmpi.so.40"],
    ["pmi", "libmpich.so.12"],
  ] as const)("%s: %s, unless the user names another", (launcher, file) => {
    expect(chooseLibrary(launcher, null)).toBe(file);
    expect(chooseLibrary(launcher, "/opt/mpi/libmpi.so")).toBe("/opt/mpi/libmpi.so");
  });

  it.each(["slurm", "torchrun", "kubernetes"] as const)(
    "is never asked about %s, which starts ranks without MPI",
    (launcher) => {
      expect(() => chooseLibrary(launcher, null)).toThrow(`${launcher} starts ranks without MPI`);
    },
  );
});
