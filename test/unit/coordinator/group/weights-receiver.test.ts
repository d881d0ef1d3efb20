import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { WeightsReceiver } from "../../../../coordinator/group/weights-receiver.js";
import type { FromWorker } from "../../../../shared/protocol/control-message.js";

type Piece = Extract<FromWorker, { kind: "weights" }>;
const bytes = Uint8Array.from({ length: 10 }, (_, index) => index);
const sha256 = createHash("sha256").update(bytes).digest("hex");
const piece = (offsetBytes: number, length: number): Piece =>
  ({ kind: "weights", offsetBytes, totalBytes: 10, bytes: bytes.slice(offsetBytes, offsetBytes + length) }) as Piece;

describe("WeightsReceiver", () => {
  it("puts pieces together", () => {
    const receiver = new WeightsReceiver();
    receiver.add(piece(0, 6), "w");
    receiver.add(piece(6, 4), "w");
    expect(receiver.take({ sha256, hashedBytes: 10 }, "w")).toEqual(bytes);
  });

  it("holds the hash against the beginning alone: running statistics lie behind it", () => {
    const receiver = new WeightsReceiver();
    receiver.add(piece(0, 10), "w");
    const ofFirst = createHash("sha256").update(bytes.subarray(0, 8)).digest("hex");
    expect(receiver.take({ sha256: ofFirst, hashedBytes: 8 }, "w")).toEqual(bytes);
    expect(() => receiver.take({ sha256: ofFirst, hashedBytes: 4 }, "w")).toThrow(ofFirst);
  });

  it("refuses a gap, a repetition, a missing end and another hash, naming the sender", () => {
    const receiver = new WeightsReceiver();
    receiver.add(piece(0, 6), "worker rank 0");
    expect(() => receiver.add(piece(7, 3), "worker rank 0")).toThrow("worker rank 0 broke the protocol");
    expect(() => receiver.add(piece(0, 6), "worker rank 0")).toThrow("expected byte 6");
    expect(() => receiver.take({ sha256, hashedBytes: 10 }, "worker rank 0")).toThrow("6 of 10 bytes");
    receiver.add(piece(6, 4), "w");
    expect(() => receiver.take({ sha256: "0".repeat(64), hashedBytes: 10 }, "w")).toThrow(sha256);
  });
});
