import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointFile } from "../../../../coordinator/checkpoint/checkpoint-file.js";
import { SavedCheckpoint } from "../../../../coordinator/checkpoint/saved-checkpoint.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import {
  checkpointDescription,
  writeCheckpoint,
  writeForeignCheckpoint,
  writeNewerCheckpoint,
} from "../../../support/saved-checkpoints.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

describe("a checkpoint's file", () => {
  it("gives back what was written, however it was cut into pieces", async () => {
    const folder = await temporaryDirectory();
    const state = randomBytes(3_000_000);
    const path = join(folder, "step-000000000007.ckpt");
    const file = await CheckpointFile.create(path, state.byteLength);
    for (let at = 0; at < state.byteLength; at += 700_001) await file.append(state.subarray(at, at + 700_001));
    expect(await readdir(folder)).not.toContain("step-000000000007.ckpt");
    const written = await file.finish((sha256) => checkpointDescription(7, sha256));
    expect(await readdir(folder)).toEqual(["step-000000000007.ckpt"]);
    expect(written.stateSha256).toBe(createHash("sha256").update(state).digest("hex"));
    expect(written.sizeBytes).toBe((await readFile(path)).byteLength);
    await using checkpoint = await SavedCheckpoint.open(path);
    expect(checkpoint.description).toEqual(checkpointDescription(7, written.stateSha256));
    expect(checkpoint.stateBytes).toBe(state.byteLength);
    expect(Buffer.from(await checkpoint.read(1_000_000, 2_000_000)).equals(state.subarray(1_000_000))).toBe(true);
    await expect(checkpoint.read(2_999_999, 2)).rejects.toThrow(RangeError);
  });

  it("leaves nothing when it is abandoned", async () => {
    const folder = await temporaryDirectory();
    const file = await CheckpointFile.create(join(folder, "step-000000000007.ckpt"), 4);
    await file.append(Buffer.from([1, 2]));
    await file.abandon();
    expect(await readdir(folder)).toEqual([]);
  });

  it("is refused when it was cut off anywhere, added to, or any bit of it changed", async () => {
    const path = await writeCheckpoint(await temporaryDirectory(), 7);
    const sound = await readFile(path);
    const last = sound.byteLength - 1;
    const edits = fc.oneof(
      fc.integer({ min: 0, max: last }).map((length) => sound.subarray(0, length)),
      fc.tuple(fc.integer({ min: 0, max: last }), fc.integer({ min: 0, max: 7 })).map(([at, bit]) => {
        const edited = Buffer.from(sound);
        edited[at] = (edited[at] ?? 0) ^ (1 << bit);
        return edited;
      }),
      fc.uint8Array({ minLength: 1, maxLength: 9 }).map((more) => Buffer.concat([sound, more])),
    );
    await fc.assert(
      fc.asyncProperty(edits, async (edited) => {
        // Four bytes of the prologue mean nothing; the checksum covers them.
        await writeFile(path, edited);
        // The format's number is judged before the checksum: another version may have another.
        const isForeign = edited.byteLength >= 64 && !edited.subarray(8, 12).equals(sound.subarray(8, 12));
        const code = isForeign ? "CHECKPOINT_UNREADABLE" : "CHECKPOINT_UNUSABLE";
        const failure = await failureWithCode(code, () => SavedCheckpoint.open(path));
        expect(failure.path).toBe(path);
        expect(failure.remedy).toContain("without --resume");
      }),
      { numRuns: 150 },
    );
    await writeFile(path, sound);
    await (await SavedCheckpoint.open(path))[Symbol.asyncDispose]();
  });

  it("that is not there, or is no file, is told by its path, and nobody says that it is damaged", async () => {
    const folder = await temporaryDirectory();
    const inFile = join(await writeCheckpoint(folder, 2), "step-000000000001.ckpt");
    for (const [path, problem] of [
      [join(folder, "step-000000000001.ckpt"), "it can't be read (ENOENT)"],
      [inFile, "it can't be read (ENOTDIR)"],
      [folder, "it is no file"],
    ] as const) {
      const failure = await failureWithCode("CHECKPOINT_UNREADABLE", () => SavedCheckpoint.open(path));
      expect(failure).toMatchObject({ path, problem });
    }
  });

  it("of another format, or with a description of another version, is not told to be damaged", async () => {
    const folder = await temporaryDirectory();
    for (const path of [await writeForeignCheckpoint(folder, 1), await writeNewerCheckpoint(folder, 2)]) {
      const failure = await failureWithCode("CHECKPOINT_UNREADABLE", () => SavedCheckpoint.open(path));
      expect(failure.problem).toMatch(/^it is in format 2,|^its description is not understood.*ofNewerReleases/s);
    }
  });
});
