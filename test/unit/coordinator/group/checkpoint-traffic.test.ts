import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { CheckpointKeeper } from "../../../../coordinator/checkpoint/checkpoint-keeper.js";
import { CheckpointTraffic, type SavedEnding } from "../../../../coordinator/group/checkpoint-traffic.js";
import type { WorkerRecord } from "../../../../coordinator/group/worker-record.js";
import { NO_CHECKPOINTS } from "../../../../shared/checkpoint-plan.js";
import { deferred } from "../../../../shared/deferred.js";
import type { Failure } from "../../../../shared/failure.js";
import { GenerationSchema, JobIdSchema } from "../../../../shared/ids.js";
import type { CoordinatorBody } from "../../../../shared/protocol/control-message.js";
import { checkpointDescription } from "../../../support/saved-checkpoints.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const job = { jobId: JobIdSchema.parse("j"), generation: GenerationSchema.parse(1) };
const header = { protocol: 4, sequence: 0, ...job };
const ENDING: SavedEnding = { code: "INTERRUPTED", signal: "SIGTERM" };
/** Nothing of it is looked at. */
const RANK_ZERO = {} as WorkerRecord;

/** The messages of a job whose checkpoints lie in `out`, and what it ends with. */
function traffic(out: string, beginningFile: string | null = null) {
  const { position: _position, stateSha256: _hash, ...run } = checkpointDescription(1);
  const store = new CheckpointKeeper({
    settings: { plan: NO_CHECKPOINTS, keep: 3 },
    ...{ beginning: null, beginningFile, out, shownOut: "runs/j" },
    ...{ describe: () => run, recorded: () => Promise.resolve(), emit: () => undefined },
  });
  onTestFinished(() => store[Symbol.asyncDispose]());
  const sent: CoordinatorBody["kind"][] = [];
  const ended = deferred<Failure>();
  let received = deferred<void>();
  const send = (_: WorkerRecord, { kind }: CoordinatorBody): void => {
    sent.push(kind);
    if (kind === "checkpointReceived") received.resolve();
  };
  const told = new CheckpointTraffic({ job, store, send, fail: ended.resolve });
  /** The state after a step arrives; resolves when it is on the disk, or given up. */
  const save = (step: number, asked: boolean): Promise<void> => {
    const bytes = new Uint8Array(4);
    received = deferred<void>();
    store.stepTold(step);
    const position = { epoch: step, step, progress: null };
    told.received(RANK_ZERO, 0, { kind: "checkpoint", ...header, position, asked, totalBytes: bytes.byteLength });
    told.received(RANK_ZERO, 0, { kind: "checkpointPiece", ...header, offsetBytes: 0, bytes });
    return received.promise;
  };
  return { told, sent, save, ended: ended.promise };
}

describe("CheckpointTraffic", () => {
  it("ends a job that is told to with what there is to go on from, also when its last state can't be saved", async () => {
    const out = await temporaryDirectory();
    const { told, sent, save, ended } = traffic(out);
    await save(1, false);
    expect(told.saveAndEnd(RANK_ZERO, ENDING)).toBe(true);
    await rm(join(out, "checkpoints"), { recursive: true });
    await writeFile(join(out, "checkpoints"), "a disk that takes nothing");
    await save(2, true);
    expect(await ended).toEqual({ ...ENDING, resumeFrom: "runs/j" });
    expect(sent.filter((kind) => kind === "takeCheckpoint")).toHaveLength(1);
  });

  it("says likewise when the worker has no memory for it", async () => {
    const { told, save, ended } = traffic(await temporaryDirectory());
    await save(1, false);
    told.saveAndEnd(RANK_ZERO, ENDING);
    const missed = { epoch: 2, step: 2, asked: true, problem: "no memory" };
    told.received(RANK_ZERO, 0, { kind: "checkpointMissed", ...header, ...missed });
    expect(await ended).toEqual({ ...ENDING, resumeFrom: "runs/j" });
  });

  it("says what a run began with where it has saved nothing itself, and nothing where there is nothing", async () => {
    for (const [beginningFile, resumeFrom] of [
      ["runs/i/checkpoints/step-000000000010.ckpt", { resumeFrom: "runs/i/checkpoints/step-000000000010.ckpt" }],
      [null, {}],
    ] as const) {
      const { told, sent, ended } = traffic(await temporaryDirectory(), beginningFile);
      // No worker is there yet.
      told.saveAndEnd(null, ENDING);
      expect(await ended).toEqual({ ...ENDING, ...resumeFrom });
      expect(sent).toEqual([]);
    }
  });
});
