import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { THIS_HOST } from "./rank-hosts.js";
import type { SizePlan, Timing } from "./rank-messages.js";
import { findCommand, launch } from "./run-system.js";
import { sizeArgument } from "./size-plan.js";

const run = promisify(execFile);
/** Compiled to dist/bench/allreduce/; the peers' sources stay in bench/peers/. */
const PEERS = fileURLToPath(new URL("../../../bench/peers/", import.meta.url));

/** Debian packages that bring the peers; the last two make PyTorch's own arithmetic as fast as it can be. */
export const PEER_PACKAGES = [
  "build-essential",
  "openmpi-bin",
  "libopenmpi-dev",
  "mpich",
  "libmpich-dev",
  "python3-torch",
  "libopenblas0-pthread",
];

/** All that may be here. */
export const PEER_NAMES = ["openmpi-shm", "openmpi-tcp", "mpich", "gloo"] as const;
type PeerName = (typeof PEER_NAMES)[number];

/** A system that others wrote. */
export interface Peer {
  readonly name: PeerName;
  /** Name and version, as it calls itself. */
  readonly version: string;
  /** @throws as `launch` */
  measure(ranks: number, sizes: readonly SizePlan[], limitMs: number): Promise<Timing[]>;
}

export interface PeerPlace {
  /** The search path for commands. */
  readonly path: string;
  /** A Python that has torch; null: the first on the path. */
  readonly python: string | null;
  /** For compiled programs and rendezvous files; the caller's. */
  readonly folder: string;
}

/** Those of the peers that are installed, and for the others why they are left out. */
export async function findPeers(place: PeerPlace): Promise<{ readonly found: Peer[]; readonly missing: string[] }> {
  const found: Peer[] = [];
  const missing: string[] = [];
  for (const find of [openMpi, mpich, gloo]) {
    try {
      found.push(...(await find(place)));
    } catch (thrown) {
      missing.push(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }
  return { found, missing };
}

async function openMpi({ path, folder }: PeerPlace): Promise<Peer[]> {
  const [compiler, launcher] = [await findCommand(path, "mpicc.openmpi"), await findCommand(path, "mpirun.openmpi")];
  const program = join(folder, "allreduce.openmpi");
  await run(compiler, ["-O3", "-march=native", "-o", program, join(PEERS, "allreduce.c")]);
  const version = firstLine((await run(launcher, ["--version"])).stdout);
  const general = ["--allow-run-as-root", "--oversubscribe", "--mca", "pml", "ob1"];
  const peer = (name: PeerName, flags: readonly string[]): Peer => ({
    name,
    version,
    measure: async (ranks, sizes, limitMs) =>
      await launch(launcher, [...general, ...flags, "-np", `${ranks}`, program, ...sizes.map(sizeArgument)], {
        limitMs,
      }),
  });
  return [
    peer("openmpi-shm", ["--mca", "btl", "self,vader"]),
    peer("openmpi-tcp", ["--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "lo"]),
  ];
}

async function gloo(place: PeerPlace): Promise<Peer[]> {
  return [await findGloo(place)];
}

async function mpich({ path, folder }: PeerPlace): Promise<Peer[]> {
  const [compiler, launcher] = [await findCommand(path, "mpicc.mpich"), await findCommand(path, "mpirun.mpich")];
  const program = join(folder, "allreduce.mpich");
  await run(compiler, ["-O3", "-march=native", "-o", program, join(PEERS, "allreduce.c")]);
  const { stdout } = await run(launcher, ["--version"]);
  const version = `MPICH ${/Version:\s*(\S+)/.exec(stdout)?.[1] ?? "of an unknown version"}`;
  const measure = async (ranks: number, sizes: readonly SizePlan[], limitMs: number) =>
    await launch(launcher, ["-np", `${ranks}`, program, ...sizes.map(sizeArgument)], { limitMs });
  return [{ name: "mpich", version, measure }];
}

/** Gloo, through PyTorch. @param hosts where its ranks run; default: here. @throws Error when no Python has PyTorch */
export async function findGloo({ path, python: wanted, folder }: PeerPlace, hosts = THIS_HOST): Promise<Peer> {
  const { python, version } = await pythonWithTorch(path, wanted);
  const script = join(PEERS, "allreduce_gloo.py");
  const { networkInterface } = hosts;
  const environment: Record<string, string> =
    networkInterface === null ? {} : { ["GLOO_SOCKET_IFNAME"]: networkInterface };
  let runs = 0;
  const measure = async (ranks: number, sizes: readonly SizePlan[], limitMs: number) => {
    const store = join(folder, `gloo-${ranks}-${runs++}`);
    const over = new AbortController();
    const processes = Array.from({ length: ranks }, (_, rank) => {
      const [program = python, ...args] = [...hosts.through(rank), python, script];
      return launch(program, [...args, `${rank}`, `${ranks}`, store, ...sizes.map(sizeArgument)], {
        limitMs,
        environment,
        signal: over.signal,
      });
    });
    try {
      return (await Promise.all(processes))[0] ?? [];
    } catch (thrown) {
      // The others would wait for the one that failed, beside whoever is measured next.
      over.abort();
      await Promise.allSettled(processes);
      throw thrown;
    }
  };
  return { name: "gloo", version: `PyTorch ${version}`, measure };
}

/** The system's own Python is often not the first on the path, and the only one that Debian's PyTorch is for. */
async function pythonWithTorch(
  path: string,
  wanted: string | null,
): Promise<{ readonly python: string; readonly version: string }> {
  const code = "import torch, torch.distributed as d; d.is_gloo_available; print(torch.__version__)";
  if (wanted !== null) return { python: wanted, version: (await run(wanted, ["-c", code])).stdout.trim() };
  for (const folder of path.split(delimiter)) {
    try {
      const python = await findCommand(folder, "python3");
      return { python, version: (await run(python, ["-c", code])).stdout.trim() };
    } catch {
      // This one has none; the next may.
    }
  }
  throw new Error("gloo: no python3 on the path has torch");
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
