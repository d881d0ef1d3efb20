import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GenerationSchema, JobIdSchema } from "../../../../shared/ids.js";
import type { FromCoordinator, WorkerBody } from "../../../../shared/protocol/control-message.js";
import { SnapshotBoard } from "../../../../worker/communication/snapshot-board.js";
import { SnapshotSender } from "../../../../worker/communication/snapshot-sender.js";

const job = { jobId: JobIdSchema.parse("j"), generation: GenerationSchema.parse(1) };
const header = { protocol: 4, sequence: 0, ...job };
const MOST_AHEAD = 1 << 20;

function sending(totalBytes: number) {
  const board = new SnapshotBoard();
  const sent: WorkerBody[] = [];
  const sender = new SnapshotSender(board, (body) => sent.push(body));
  const bytes = new SharedArrayBuffer(totalBytes);
  new Uint8Array(bytes).set(Uint8Array.from({ length: totalBytes }, (_, at) => (at * 31) % 251));
  const position = { epoch: 1, step: 1, progress: null };
  const begin = (): void => {
    board.busy(true);
    sender.begin({ opening: { kind: "checkpoint", ...job, position, asked: false, totalBytes }, bytes });
  };
  const pieces = () => sent.filter((body) => body.kind === "checkpointPiece");
  const hear = (message: FromCoordinator) => sender.heard(message);
  return { board, sent, sender, bytes: new Uint8Array(bytes), begin, pieces, hear };
}

describe("SnapshotSender", () => {
  it("sends all, in order, never more than a megabyte ahead, and frees the memory at the end", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_000_000 }), (totalBytes) => {
        const { board, sent, bytes, begin, pieces, hear } = sending(totalBytes);
        begin();
        expect(sent[0]?.kind).toBe("checkpoint");
        let received = 0;
        for (let next = 0; next < pieces().length; next++) {
          const piece = pieces()[next];
          if (piece === undefined) throw new Error("a piece is missing");
          expect(piece.offsetBytes).toBe(received);
          received += piece.bytes.byteLength;
          expect(Buffer.compare(piece.bytes, bytes.slice(piece.offsetBytes, received))).toBe(0);
          const ahead = pieces().reduce((sum, { bytes: each }) => sum + each.byteLength, 0) - piece.offsetBytes;
          expect(ahead).toBeLessThanOrEqual(MOST_AHEAD);
          expect(board.isBusy).toBe(true);
          hear({ kind: "checkpointReceived", ...header, receivedBytes: received });
        }
        expect(received).toBe(totalBytes);
        expect(board.isBusy).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it("tells the main thread what is asked for, and other messages are not its own", () => {
    const { board, hear } = sending(8);
    expect(hear({ kind: "takeCheckpoint", ...header })).toBe(true);
    expect(board.isAsked).toBe(true);
    expect(hear({ kind: "stop", protocol: 4, sequence: 1, failure: null })).toBe(false);
  });

  it("drops what is on its way when the generation is over, and takes the next one", () => {
    const { board, sender, begin, pieces, hear } = sending(3_000_000);
    begin();
    const before = pieces().length;
    sender.drop();
    expect(board.isBusy).toBe(false);
    hear({ kind: "checkpointReceived", ...header, receivedBytes: 262_144 });
    expect(pieces()).toHaveLength(before);
    begin();
    expect(pieces()).toHaveLength(2 * before);
    expect(() => begin()).toThrow(/on its way already/);
  });
});
