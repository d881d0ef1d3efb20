import type { MpiCheck } from "../../shared/launch/mpi-check.js";
import type { Finding } from "./finding.js";

export type MpiFamily = MpiCheck["family"];

/** An `mpirun` of this host. */
export interface MpiLauncherFacts {
  readonly command: string;
  /** Null: it is no MPI that is known here. */
  readonly family: MpiFamily | null;
  readonly version: string;
}

/** A library, as a process that loaded it tells; or why it can't be loaded. */
export type MpiLibraryFacts = MpiCheck | { readonly file: string; readonly problem: string };

export interface MpiFacts {
  /** Null: there is none on the search path. */
  readonly launcher: MpiLauncherFacts | null;
  readonly libraries: readonly MpiLibraryFacts[];
}

/** Which MPI is here, and whether the library that its `mpirun` needs can be loaded. Pure. */
export function judgeMpi({ launcher, libraries }: MpiFacts): Finding[] {
  const loaded = libraries.filter((each) => "version" in each);
  if (launcher === null && loaded.length === 0) {
    return [{ check: "MPI", status: "absent", found: "no mpirun, and no library of MPI", facts: {}, remedy: null }];
  }
  return [judgeLauncher({ launcher, libraries }), ...loaded.map(foundLibrary)];
}

function judgeLauncher({ launcher, libraries }: MpiFacts): Finding {
  const check = "mpirun";
  if (launcher === null) {
    return { check, status: "absent", found: "none on the search path", facts: {}, remedy: null };
  }
  const { command, family, version } = launcher;
  const facts = { command, family };
  if (family === null) {
    const found = `${command} is of no MPI that is known here: ${version}`;
    const remedy = "Use the mpirun of Open MPI, MPICH, Intel MPI or MVAPICH, or train without MPI";
    return { check, status: "warning", found, facts, remedy };
  }
  const isWhole = libraries.some((each) => "version" in each && each.family === family);
  if (isWhole) return { check, status: "ok", found: `${family} ${version}`, facts, remedy: null };
  const packages = family === "Open MPI" ? "openmpi-bin with libopenmpi3" : "mpich with libmpich12";
  const lack = libraries.flatMap((each) => ("problem" in each ? `${each.file}: ${each.problem}` : []));
  const found = `${family} ${version}, but no library of it can be loaded (${lack.join("; ")})`;
  const remedy = `Install it (Debian: ${packages}), add its folder to LD_LIBRARY_PATH, or name it by --mpi-library (doctor: by RINGSTRASSE_MPI_LIBRARY); where there is an mpicc, train calls MPI by a sidecar meanwhile`;
  return { check, status: "problem", found, facts, remedy };
}

function foundLibrary({ file, path, family, version }: MpiCheck): Finding {
  const first = version.split(/[\n,]/)[0]?.replaceAll("\t", " ").trim() ?? "";
  const facts = { family, path };
  return { check: `MPI library ${file}`, status: "ok", found: `${first}, ${path ?? file}`, facts, remedy: null };
}

/** Pure. @param text of `mpirun --version` @returns null when it says nothing */
export function readLauncher(command: string, text: string): MpiLauncherFacts | null {
  const [first = ""] = text.trim().split("\n");
  if (first === "") return null;
  const openMpi = /\(Open MPI\) (\S+)/.exec(text)?.[1];
  if (openMpi !== undefined) return { command, family: "Open MPI", version: openMpi };
  const hydra = /^HYDRA[\s\S]*?Version:\s+(\S+)/m.exec(text)?.[1];
  const intel = /^Intel\(R\) MPI Library.*?Version (\S+)/m.exec(text)?.[1];
  const version = hydra ?? intel;
  if (version !== undefined) return { command, family: "MPICH", version };
  return { command, family: null, version: first };
}
