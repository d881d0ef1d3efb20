import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GenerationSchema, JobIdSchema } from "../../../../shared/ids.js";
import { decodeFromWorker, MessageEncoder } from "../../../../shared/protocol/codec.js";
import type { FromWorker, WorkerBody } from "../../../../shared/protocol/control-message.js";
import { SequenceCheck } from "../../../../shared/protocol/sequence-check.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const HEARTBEAT: WorkerBody = { kind: "heartbeat", progress: 1, phase: "idle", epoch: 0, step: 0 };
const RELEASED: WorkerBody = {
  kind: "released",
  jobId: JobIdSchema.parse("job"),
  generation: GenerationSchema.parse(1),
};

/** What an encoder makes of these, as the other end reads it; true: a message that counts. */
function sent(counts: readonly boolean[]): FromWorker[] {
  const encoder = new MessageEncoder();
  return counts.map((isCounted) => decodeFromWorker(encoder.encode(isCounted ? RELEASED : HEARTBEAT), "w"));
}

describe("SequenceCheck", () => {
  it("lets through whatever an encoder sends, and life signs may be missing or come twice", () => {
    const fates = fc.array(fc.record({ isCounted: fc.boolean(), copies: fc.nat(2) }));
    fc.assert(
      fc.property(fates, (fate) => {
        const check = new SequenceCheck("worker w", 0);
        const messages = sent(fate.map(({ isCounted }) => isCounted));
        for (const [index, message] of messages.entries()) {
          const copies = message.kind === "heartbeat" ? (fate[index]?.copies ?? 1) : 1;
          for (let copy = 0; copy < copies; copy++) check.check(message);
        }
      }),
    );
  });

  it("notices any loss among messages that count, at the next message of whatever kind", () => {
    const counts = fc.array(fc.boolean(), { minLength: 1 }).filter((all) => all.includes(true));
    fc.assert(
      fc.property(counts, fc.nat(), (all, choice) => {
        const counted = [...all.keys()].filter((index) => all[index]);
        const lost = counted[choice % counted.length] ?? 0;
        const messages = sent([...all, false]);
        const check = new SequenceCheck("worker w", 0);
        for (const message of messages.slice(0, lost)) check.check(message);
        expect(() => check.check(messages[lost + 1] as FromWorker)).toThrow(/1 message was lost before it/);
      }),
    );
  });

  it("names who and what: a gap, and a repetition", async () => {
    const [, second, third] = sent([true, true, true]) as [FromWorker, FromWorker, FromWorker];
    const gap = new SequenceCheck("worker alice", 0);
    expect(await failureWithCode("PROTOCOL_VIOLATION", () => gap.check(third))).toMatchObject({
      from: "worker alice",
      problem: "its released bears the number 2, expected 0: 2 messages were lost before it",
    });
    const twice = new SequenceCheck("worker alice", 1);
    twice.check(second);
    expect(await failureWithCode("PROTOCOL_VIOLATION", () => twice.check(second))).toMatchObject({
      problem: "its released bears the number 1, expected 2: it came before",
    });
  });
});
