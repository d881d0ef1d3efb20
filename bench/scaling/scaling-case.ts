import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RowsHold } from "../../coordinator/data/rows-hold.js";
import { prepareRows, readJob } from "../../coordinator/job/plan-run.js";
import type { NetworkName } from "../train/networks.js";
import { writeWorkload } from "../train/workload.js";
import { networkDocument } from "./network-document.js";

/** One network at one batch size: the same job for the product and for its peers. */
export interface ScalingCase {
  readonly network: NetworkName;
  /** Rows of a step on each of the ranks. */
  readonly batchPerRank: number;
  readonly ranks: number;
}

/** The same job in files. Paths are absolute. */
export interface CaseFiles {
  /** A ViNNSL document, and the images it trains on. */
  readonly document: string;
  readonly data: string;
  /** Where prepared rows are kept. */
  readonly rows: string;
  /** For peers: `bench/train/workload.ts`, with all ranks' rows in a step, and with one rank's. */
  readonly workload: string;
  readonly workloadOfOne: string;
}

/**
 * Writes a case for both sides, the peers' from what the product makes of the document: its layers, its optimizer, its initial
 * parameters, its rows in its order.
 * @param data an IDX file of images @throws RingstrasseError as `readJob` and `prepareRows`
 */
export async function writeCase(folder: string, data: string, wanted: ScalingCase): Promise<CaseFiles> {
  const { network, batchPerRank, ranks } = wanted;
  const own = join(folder, `${network}-${batchPerRank}`);
  await mkdir(own, { recursive: true });
  const document = join(own, `${network}.xml`);
  const bytes = Buffer.from(networkDocument(network));
  await writeFile(document, bytes);
  const job = readJob({ bytes, file: document, options: { "test-split": 0 }, sources: {} });
  const rows = join(folder, "rows");
  const { signal } = new AbortController();
  await using hold = new RowsHold();
  const { dataset } = await prepareRows(job, { dataPath: data, labelsPath: null, cacheDirectory: rows, hold, signal });
  const { model, optimizer } = job.settings;
  const write = (name: string, batchSize: number): Promise<string> =>
    writeWorkload(join(own, name), { model, optimizer, batchSize, dataset });
  return {
    ...{ document, data, rows },
    workload: await write("all-ranks", ranks * batchPerRank),
    workloadOfOne: await write("one-rank", batchPerRank),
  };
}
