import { describe, expect, it } from "vitest";
import { libraryVersion } from "../../../../worker/mpi/library-version.js";

describe("libraryVersion", () => {
  it.each([
    ["Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022", "Open MPI v4.1.4"],
    ["MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\n", "MPICH Version: 4.0.2"],
    ["", ""],
  ])("%j: %j", (text, version) => {
    expect(libraryVersion(text)).toBe(version);
  });
});
