import { dirname, join } from "node:path";
import { Contender, type ContenderPlan } from "../train/contender.js";
import type { Burst } from "../train/contender-messages.js";
import { stepsFor } from "../train/figures.js";
import { type FoundLibrary, scriptContender } from "../train/peers.js";
import { type Competitor, inStep, meanOf, type Turn, together } from "./competitor.js";
import type { CaseFiles } from "./scaling-case.js";

const WARM_STEPS = 12;
const LEAST_STEPS = 3;

/** PyTorch on the loopback interface, each rank with one thread. */
const ENVIRONMENT = { OMP_NUM_THREADS: "1", GLOO_SOCKET_IFNAME: "lo" };

export interface PeerPlan {
  readonly name: string;
  readonly library: FoundLibrary;
  readonly files: CaseFiles;
  /** Of each process. */
  readonly cores: readonly number[];
}

/** PyTorch in as many processes as there are cores, which take turns with other systems. */
export class PeerCompetitor implements Competitor {
  readonly name: string;
  /** What it chose, where there was a choice. */
  readonly variant: string;
  readonly firstLosses: readonly number[];
  /** Its steps' times follow each other without a gap. */
  readonly betweenStepsMs = 0;
  readonly #processes: readonly Contender[];
  readonly #combine: (turns: readonly Turn[]) => Turn;
  readonly #warm: Burst;

  private constructor(name: string, processes: readonly Contender[], by: { combine: Combine; warm: readonly Burst[] }) {
    const [warm, ...others] = by.warm;
    if (warm === undefined) throw new RangeError("there is no core for it");
    this.name = name;
    this.variant = processes[0]?.ready.variant ?? "";
    // Equal parts: the mean of the ranks' means is that of all rows.
    this.firstLosses = warm.losses.map((loss, step) =>
      meanOf([loss, ...others.map(({ losses }) => losses[step] ?? Number.NaN)]),
    );
    this.#processes = processes;
    this.#combine = by.combine;
    this.#warm = warm;
  }

  /** One training, a rank of DistributedDataParallel on each of the cores. @throws Error when a rank ends */
  static async ranks({ name, library, files, cores }: PeerPlan): Promise<PeerCompetitor> {
    // By which the ranks find each other: a file that is not there yet.
    const store = join(dirname(files.workload), `${name.replaceAll(/[^\w.]+/g, "-")}-store`);
    const plans = cores.map((_, rank) =>
      scriptContender(library, "torch_ddp_steps.py", [`${rank}`, `${cores.length}`, store]),
    );
    return await PeerCompetitor.#launch(name, { plans, cores, workload: files.workload, combine: inStep });
  }

  /** A training of one process on each of the cores: what there is to reach. @throws Error when one ends */
  static async independent({ name, library, files, cores }: PeerPlan): Promise<PeerCompetitor> {
    const plans = cores.map(() => scriptContender(library, "torch_steps.py"));
    return await PeerCompetitor.#launch(name, { plans, cores, workload: files.workloadOfOne, combine: together });
  }

  async run(seconds: number): Promise<Turn> {
    const steps = stepsFor(seconds * 1000, this.#warm, LEAST_STEPS);
    const bursts = await runAll(this.#processes, steps);
    return this.#combine(bursts.map(({ stepMs }) => ({ stepMs: meanOf(stepMs), waitedMs: null })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#processes);
  }

  /** All at once: ranks are ready only when all are there. */
  static async #launch(name: string, { plans, cores, workload, combine }: ToLaunch): Promise<PeerCompetitor> {
    const starts = await Promise.allSettled(
      plans.map((plan, at) => Contender.start({ ...plan, environment: ENVIRONMENT }, workload, [cores[at] ?? 0])),
    );
    const started = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
    try {
      for (const start of starts) if (start.status === "rejected") throw start.reason;
      return new PeerCompetitor(name, started, { combine, warm: await runAll(started, WARM_STEPS) });
    } catch (thrown) {
      await endAll(started);
      throw thrown;
    }
  }
}

type Combine = (turns: readonly Turn[]) => Turn;

interface ToLaunch {
  readonly plans: readonly ContenderPlan[];
  readonly cores: readonly number[];
  readonly workload: string;
  readonly combine: Combine;
}

function runAll(processes: readonly Contender[], steps: number): Promise<Burst[]> {
  return Promise.all(processes.map((one) => one.run(steps)));
}

async function endAll(processes: readonly Contender[]): Promise<void> {
  await Promise.all(processes.map((one) => one[Symbol.asyncDispose]()));
}
