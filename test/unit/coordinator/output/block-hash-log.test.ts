import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BlockHashLog } from "../../../../coordinator/output/block-hash-log.js";
import type { HashLogEntry, StepEntry } from "../../../../coordinator/output/hash-log-format.js";
import { blockPlan } from "../../../../shared/arena-layout.js";
import { hashBlocks } from "../../../../shared/block-hash.js";
import { failureOf } from "../../../support/failure-of.js";
import { epochEntry, hashLogHeader, stepEntry } from "../../../support/hash-log.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** One worker's report: rank 0 holds replica 0 and reports the parameters. */
function reportOf(entry: StepEntry, replica: number) {
  const { epoch, step, parameters } = entry;
  return {
    epoch,
    step,
    replicas: entry.replicas.slice(replica, replica + 1),
    parameters: replica === 0 ? parameters : null,
  };
}

async function logged(work: (log: BlockHashLog) => Promise<void>): Promise<HashLogEntry[]> {
  const file = join(await temporaryDirectory(), "hashes.jsonl");
  const { kind: _kind, formatVersion: _version, ...header } = hashLogHeader();
  const log = await BlockHashLog.create(file, header);
  await work(log);
  await log[Symbol.asyncDispose]();
  const text = await readFile(file, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  const [first, ...rest] = text.trimEnd().split("\n");
  expect(JSON.parse(first ?? "")).toEqual(hashLogHeader());
  return rest.map((line) => JSON.parse(line) as HashLogEntry);
}

describe("BlockHashLog", () => {
  it("joins the replicas of all workers, in whatever order they report", async () => {
    const entries = await logged(async (log) => {
      await log.addReplicas(reportOf(stepEntry(1, 1), 1));
      await log.addReplicas(reportOf(stepEntry(1, 1), 0));
      await log.addReplicas(reportOf(stepEntry(1, 2), 0));
      await log.addReplicas(reportOf(stepEntry(1, 2), 1));
    });
    expect(entries).toEqual([stepEntry(1, 1), stepEntry(1, 2)]);
  });

  it("writes the end of an epoch after its last step, though a worker reports that later", async () => {
    const entries = await logged(async (log) => {
      await log.addEpoch(epochEntry(0, 0));
      await log.addReplicas(reportOf(stepEntry(1, 1), 0));
      await log.addEpoch(epochEntry(1, 1));
      await log.addReplicas(reportOf(stepEntry(2, 2), 0));
      await log.addReplicas(reportOf(stepEntry(1, 1), 1));
      await log.addReplicas(reportOf(stepEntry(2, 2), 1));
    });
    expect(entries).toEqual([epochEntry(0, 0), stepEntry(1, 1), epochEntry(1, 1), stepEntry(2, 2)]);
  });

  it("leaves out a step that a worker never reported", async () => {
    const entries = await logged(async (log) => {
      await log.addReplicas(stepEntry(1, 1));
      await log.addReplicas(reportOf(stepEntry(1, 2), 0));
    });
    expect(entries).toEqual([stepEntry(1, 1)]);
  });

  it("says where it can't be written", async () => {
    const path = join(await temporaryDirectory(), "nowhere", "hashes.jsonl");
    const { kind: _kind, formatVersion: _version, ...header } = hashLogHeader();
    expect(await failureOf(() => BlockHashLog.create(path, header))).toMatchObject({ code: "OUTPUT_UNWRITABLE", path });
  });
});

describe("hashBlocks", () => {
  it("gives 16 hex digits per block; one changed bit changes one of them", () => {
    const arena = Float32Array.from({ length: 80 }, (_, index) => index / 7);
    const plan = blockPlan(80, 3);
    const before = hashBlocks(arena, plan);
    expect(before).toHaveLength(3);
    for (const hash of before) expect(hash).toMatch(/^[0-9a-f]{16}$/);
    arena[40] = (arena[40] as number) + 1e-5;
    expect(hashBlocks(arena, plan).map((hash, block) => hash === before[block])).toEqual([true, false, true]);
  });
});
