import { join } from "node:path";
import { SlicedTraining, type TrainingCores } from "../support/sliced-training.js";
import { type Competitor, meanOf, type Turn, together } from "./competitor.js";
import type { CaseFiles } from "./scaling-case.js";

/** What `ringstrasse train` is told for each of the ways to exchange that can be measured. */
export const OWN_EXCHANGES = {
  shm: ["--collective=shm"],
  hierarchical: ["--collective=hierarchical"],
  "ring-ipc": ["--collective=ring", "--transport=ipc"],
  "ring-tcp": ["--collective=ring", "--transport=tcp"],
  "server-ipc": ["--collective=parameter-server", "--transport=ipc"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type OwnExchange = keyof typeof OWN_EXCHANGES;
export const EXCHANGES = Object.keys(OWN_EXCHANGES) as [OwnExchange, ...OwnExchange[]];

export interface OwnPlan {
  readonly name: string;
  readonly files: CaseFiles;
  readonly engine: string;
  /** Runs' output directories; the caller's. */
  readonly out: string;
}

export interface OwnRanks {
  readonly exchange: OwnExchange;
  /** Of each rank, by rank. */
  readonly cores: readonly number[];
  /** R; a multiple of nothing in particular, but not less than the ranks. */
  readonly replicas: number;
  /** Rows of a step over all ranks. */
  readonly batchSize: number;
}

/** The product itself, `ringstrasse train` as anybody starts it: trainings that take turns with other systems. Linux only. */
export class OwnCompetitor implements Competitor {
  readonly name: string;
  readonly #trainings: readonly SlicedTraining[];

  private constructor(name: string, trainings: readonly SlicedTraining[]) {
    this.name = name;
    this.#trainings = trainings;
  }

  /** One job, a worker on each of the cores; its coordinator on all of them. @throws Error when it ends before it is warm */
  static async ranks(plan: OwnPlan, { exchange, cores, replicas, batchSize }: OwnRanks): Promise<OwnCompetitor> {
    const how = cores.length === 1 ? [] : OWN_EXCHANGES[exchange];
    const args = [`--workers=${cores.length}`, `--replicas=${replicas}`, `--batch-size=${batchSize}`, ...how];
    return new OwnCompetitor(plan.name, [await start(plan, args, { cores, workerCores: cores })]);
  }

  /** A job of one worker on each of the cores: what there is to reach. @throws Error when one ends before it is warm */
  static async independent(plan: OwnPlan, cores: readonly number[], batchSize: number): Promise<OwnCompetitor> {
    const trainings: SlicedTraining[] = [];
    try {
      // One after the other: each is stopped before the next one starts.
      for (const core of cores) {
        const own = { ...plan, name: `${plan.name}-${core}` };
        const args = ["--workers=1", "--replicas=1", `--batch-size=${batchSize}`];
        trainings.push(await start(own, args, { cores: [core] }));
      }
    } catch (thrown) {
      for (const training of trainings) await training[Symbol.asyncDispose]();
      throw thrown;
    }
    return new OwnCompetitor(plan.name, trainings);
  }

  get firstLosses(): readonly number[] {
    return this.#trainings[0]?.firstLosses ?? [];
  }

  get betweenStepsMs(): number {
    return meanOf(this.#trainings.map(({ betweenStepsMs }) => betweenStepsMs));
  }

  async run(seconds: number): Promise<Turn> {
    const slices = await Promise.all(this.#trainings.map((training) => training.run(seconds)));
    const turns = slices.map(({ mean, waitedMs }): Turn => ({ stepMs: 1000 / mean, waitedMs }));
    const [only, ...others] = turns;
    return only !== undefined && others.length === 0 ? only : together(turns);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#trainings.map((training) => training[Symbol.asyncDispose]()));
  }
}

function start({ name, files, engine, out }: OwnPlan, args: readonly string[], where: TrainingCores) {
  const folders = [`--out=${join(out, name)}`, `--data-dir=${files.rows}`];
  const job = [files.document, `--data=${files.data}`, "--test-split=0", `--engine=${engine}`, "--threads=1"];
  return SlicedTraining.start([...job, ...args, ...folders], where);
}
