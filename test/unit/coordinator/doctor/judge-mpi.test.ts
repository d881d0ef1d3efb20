import { describe, expect, it } from "vitest";
import { judgeMpi, type MpiFacts, readLauncher } from "../../../../coordinator/doctor/judge-mpi.js";
import { loadedFrom } from "../../../../worker/mpi/mpi-check-command.js";

const OPEN_MPI = {
  file: "libmpi.so.40",
  path: "/usr/lib/libmpi.so.40.30.4",
  family: "Open MPI",
  version: "Open MPI v4.1.4, package: Debian",
} as const;
const MPICH = {
  file: "libmpich.so.12",
  path: "/usr/lib/libmpich.so.12",
  family: "MPICH",
  version: "MPICH Version:\t4.0.2\nMPICH Release date:\t…",
} as const;
const LACKS = { file: "libmpich.so.12", problem: "libmpich.so.12 can't be loaded" };

describe("judgeMpi", () => {
  it.each<[string, MpiFacts, string[]]>([
    ["nothing", { launcher: null, libraries: [LACKS] }, ["MPI absent"]],
    [
      "Open MPI",
      { launcher: { command: "mpirun", family: "Open MPI", version: "4.1.4" }, libraries: [OPEN_MPI, LACKS] },
      ["mpirun ok", "MPI library libmpi.so.40 ok"],
    ],
    [
      "both, and the mpirun of one",
      { launcher: { command: "mpirun", family: "MPICH", version: "4.0.2" }, libraries: [OPEN_MPI, MPICH] },
      ["mpirun ok", "MPI library libmpi.so.40 ok", "MPI library libmpich.so.12 ok"],
    ],
    ["a library alone", { launcher: null, libraries: [MPICH] }, ["mpirun absent", "MPI library libmpich.so.12 ok"]],
    [
      "the library of another MPI",
      { launcher: { command: "mpirun", family: "MPICH", version: "4.0.2" }, libraries: [OPEN_MPI, LACKS] },
      ["mpirun problem", "MPI library libmpi.so.40 ok"],
    ],
    [
      "an mpirun that nobody knows",
      { launcher: { command: "mpirun", family: null, version: "LAM 7.1" }, libraries: [] },
      ["mpirun warning"],
    ],
  ])("%s", (_, facts, expected) => {
    expect(judgeMpi(facts).map(({ check, status }) => `${check} ${status}`)).toEqual(expected);
  });

  it("says what the library is, where it was found, and what to install", () => {
    const launcher = { command: "mpirun", family: "MPICH", version: "4.0.2" } as const;
    const [lacking, other] = judgeMpi({ launcher, libraries: [OPEN_MPI, LACKS] });
    expect(lacking).toMatchObject({
      found: expect.stringContaining(
        "MPICH 4.0.2, but no library of it can be loaded (libmpich.so.12: libmpich.so.12 can't",
      ),
      remedy: expect.stringMatching(/libmpich12.*LD_LIBRARY_PATH.*--mpi-library/),
    });
    expect(other?.found).toBe("Open MPI v4.1.4, /usr/lib/libmpi.so.40.30.4");
    expect(judgeMpi({ launcher, libraries: [MPICH] })[1]?.found).toBe("MPICH Version: 4.0.2, /usr/lib/libmpich.so.12");
  });
});

describe("readLauncher", () => {
  it.each([
    ["mpirun (Open MPI) 4.1.4\n\nReport bugs to …", "Open MPI", "4.1.4"],
    ["HYDRA build details:\n    Version:                                 4.0.2\n    Release Date: …", "MPICH", "4.0.2"],
    ["Intel(R) MPI Library for Linux* OS, Version 2021.11 Build 20231005\n", "MPICH", "2021.11"],
    ["LAM 7.1.4/MPI 2 C++/ROMIO\n", null, "LAM 7.1.4/MPI 2 C++/ROMIO"],
  ])("%j", (text, family, version) => {
    expect(readLauncher("mpirun", text)).toEqual({ command: "mpirun", family, version });
  });

  it("an mpirun that says nothing", () => {
    expect(readLauncher("mpirun", "")).toBeNull();
  });
});

it("loadedFrom finds the file that stands behind a library's name", () => {
  const maps = [
    "7f1-7f2 r-xp 00000000 08:01 1    /usr/lib/x86_64-linux-gnu/libc.so.6",
    "7f3-7f4 r--p 00000000 08:01 2    /opt/my mpi/libmpi.so.40.30.4",
    "7f5-7f6 rw-p 00000000 00:00 0    [heap]",
  ].join("\n");
  expect(loadedFrom("libmpi.so.40", maps)).toBe("/opt/my mpi/libmpi.so.40.30.4");
  expect(loadedFrom("/opt/my mpi/libmpi.so.40", maps)).toBe("/opt/my mpi/libmpi.so.40.30.4");
  expect(loadedFrom("libmpich.so.12", maps)).toBeNull();
});
