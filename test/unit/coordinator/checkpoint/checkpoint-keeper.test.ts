import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { CheckpointKeeper } from "../../../../coordinator/checkpoint/checkpoint-keeper.js";
import { chooseCheckpoint } from "../../../../coordinator/checkpoint/choose-checkpoint.js";
import { SavedCheckpoint } from "../../../../coordinator/checkpoint/saved-checkpoint.js";
import type { CheckpointOpening, PieceOutcome } from "../../../../coordinator/group/checkpoint-store.js";
import { NO_CHECKPOINTS } from "../../../../shared/checkpoint-plan.js";
import { GenerationSchema, JobIdSchema } from "../../../../shared/ids.js";
import type { TrainEvent } from "../../../../shared/train-events.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { checkpointDescription, writeCheckpoint } from "../../../support/saved-checkpoints.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { epochEvent } from "../../../support/train-events.js";

const header = { protocol: 4, sequence: 0, jobId: JobIdSchema.parse("j"), generation: GenerationSchema.parse(1) };
const STATE = Buffer.from("the state of a job");

function keeperIn(out: string, keep = 2, beginning: SavedCheckpoint | null = null) {
  const events: TrainEvent[] = [];
  const { position: _position, stateSha256: _hash, ...run } = checkpointDescription(1);
  const keeper = new CheckpointKeeper({
    settings: { plan: NO_CHECKPOINTS, keep },
    ...{ beginning, beginningFile: beginning?.path ?? null },
    ...{ out, shownOut: "runs/j" },
    describe: () => ({ ...run, history: [1, 2, 3, 4, 5, 6].map((epoch) => epochEvent(epoch)) }),
    recorded: () => Promise.resolve(),
    emit: (event) => events.push(event),
  });
  onTestFinished(() => keeper[Symbol.asyncDispose]());
  return { keeper, events };
}

function opening(step: number, asked = false): CheckpointOpening {
  const position = { epoch: step, step, progress: null };
  return { kind: "checkpoint", ...header, position, asked, totalBytes: STATE.byteLength };
}

function pieces(keeper: CheckpointKeeper): Promise<PieceOutcome[]> {
  const cut = [STATE.subarray(0, 7), STATE.subarray(7)];
  const send = (bytes: Buffer, offsetBytes: number) =>
    keeper.piece({ kind: "checkpointPiece", ...header, offsetBytes, bytes: new Uint8Array(bytes) });
  return Promise.all(cut.map((bytes, index) => send(bytes, 7 * index)));
}

describe("CheckpointKeeper", () => {
  it("writes what arrives once its step is told, tells it, and keeps the last ones", async () => {
    const out = await temporaryDirectory();
    const { keeper, events } = keeperIn(out);
    for (const step of [1, 2, 3]) {
      keeper.opened(opening(step, step === 3));
      const written = pieces(keeper);
      keeper.stepTold(step);
      expect(await written).toEqual([{ kind: "more" }, { kind: "over", asked: step === 3, kept: true }]);
    }
    const names = ["step-000000000002.ckpt", "step-000000000003.ckpt"];
    expect((await readdir(join(out, "checkpoints"))).sort()).toEqual(names);
    await using saved = await SavedCheckpoint.open(join(out, "checkpoints", names[1] ?? ""));
    expect(Buffer.from(await saved.read(0, STATE.byteLength))).toEqual(STATE);
    // Epochs after the position are not of its history.
    expect(saved.description.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    const file = "runs/j/checkpoints/step-000000000003.ckpt";
    const { stateSha256 } = saved.description;
    expect(events.at(-1)).toMatchObject({ event: "checkpoint", epoch: 3, step: 3, endsEpoch: true, file, stateSha256 });
  });

  it("does not end a checkpoint before all workers have told of its step", async () => {
    const out = await temporaryDirectory();
    const { keeper, events } = keeperIn(out);
    keeper.opened(opening(5));
    const written = pieces(keeper);
    keeper.stepTold(4);
    await keeper[Symbol.asyncDispose]();
    // The run ended first: nothing is left, and nothing is said.
    expect((await written)[1]).toEqual({ kind: "over", asked: false, kept: false });
    expect(await readdir(join(out, "checkpoints"))).toEqual([]);
    expect(events).toEqual([]);
  });

  it("warns each time that a checkpoint can't be written, and writes again as soon as it can", async () => {
    const out = await temporaryDirectory();
    const { keeper, events } = keeperIn(out);
    await writeFile(join(out, "checkpoints"), "a file in the way");
    for (const step of [1, 2]) {
      keeper.stepTold(step);
      keeper.opened(opening(step, true));
      expect((await pieces(keeper))[1]).toEqual({ kind: "over", asked: true, kept: false });
    }
    const message = expect.stringMatching(/^no checkpoint at epoch \d, step \d: .*checkpoints: a file is in the way\./);
    expect(events).toEqual([1, 2].map(() => ({ event: "warning", message })));
    await rm(join(out, "checkpoints"));
    keeper.stepTold(3);
    keeper.opened(opening(3));
    expect((await pieces(keeper))[1]).toEqual({ kind: "over", asked: false, kept: true });
  });

  it("puts aside what lies beyond the checkpoint that it went back to, as soon as it has one of its own", async () => {
    const out = await temporaryDirectory();
    const folder = join(out, "checkpoints");
    const [first = ""] = await Promise.all([10, 20, 30].map((step) => writeCheckpoint(folder, step)));
    await using beginning = await SavedCheckpoint.open(first);
    const { keeper, events } = keeperIn(out, 9, beginning);
    expect(keeper.resumeFrom).toBe(first);
    const save = async (step: number): Promise<void> => {
      keeper.opened(opening(step));
      keeper.stepTold(step);
      await pieces(keeper);
    };
    await save(15);
    expect(keeper.resumeFrom).toBe("runs/j");
    const aside = ["step-000000000020.ckpt.abandoned", "step-000000000030.ckpt.abandoned"];
    const message = `the run went back to step 10; what lay beyond is put aside: ${aside.join(", ")}`;
    expect(events.slice(1)).toEqual([{ event: "warning", message }]);
    const chosen = await chooseCheckpoint({ resume: "auto", out, warn: () => undefined });
    expect(chosen?.description.position.step).toBe(15);
    await chosen?.[Symbol.asyncDispose]();
    // Those that follow are its own.
    await save(20);
    await save(25);
    const own = [10, 15, 20, 25].map((step) => `step-0000000000${step}.ckpt`);
    expect((await readdir(folder)).sort()).toEqual([...own, ...aside].sort());
    expect(events.filter(({ event }) => event === "warning")).toHaveLength(1);
  });

  it("removes what a run that was killed left unfinished", async () => {
    const out = await temporaryDirectory();
    const { keeper } = keeperIn(out);
    await mkdir(join(out, "checkpoints"));
    await writeFile(join(out, "checkpoints", ".step-000000000009.ckpt.unfinished-0123456789ab"), "half");
    keeper.stepTold(1);
    keeper.opened(opening(1));
    await pieces(keeper);
    expect(await readdir(join(out, "checkpoints"))).toEqual(["step-000000000001.ckpt"]);
  });

  it("refuses pieces out of turn and a checkpoint within another, by name", async () => {
    const { keeper } = keeperIn(await temporaryDirectory());
    const piece = { kind: "checkpointPiece", ...header, offsetBytes: 3, bytes: new Uint8Array(2) } as const;
    const none = await failureWithCode("PROTOCOL_VIOLATION", () => keeper.piece(piece));
    expect(none.problem).toContain("a piece of no checkpoint");
    keeper.opened(opening(1));
    const hole = await failureWithCode("PROTOCOL_VIOLATION", () => keeper.piece(piece));
    expect(hole.problem).toContain("at byte 3 of 18, expected 0");
    const second = await failureWithCode("PROTOCOL_VIOLATION", () => keeper.opened(opening(2)));
    expect(second.problem).toContain("in the middle of another");
  });
});
