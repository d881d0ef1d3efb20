import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { GenerationSchema, JobIdSchema } from "../../../../shared/ids.js";
import { MessageEncoder } from "../../../../shared/protocol/codec.js";
import type { CoordinatorBody } from "../../../../shared/protocol/control-message.js";
import { RouterSocket } from "../../../../shared/transport/zeromq-sockets.js";
import { startProcess } from "../../../support/run-command.js";

const BINDER = fileURLToPath(new URL("./ring-binder.mjs", import.meta.url));

describe("the communication thread", () => {
  it("keeps in mind a checkpoint that is asked for before the ring is bound, until the generation is over", async () => {
    const router = await RouterSocket.bind("tcp://127.0.0.1:0", () => undefined);
    onTestFinished(() => router[Symbol.asyncDispose]());
    const binder = startProcess(execPath, [BINDER, router.endpoint], {});
    const { value } = await router[Symbol.asyncIterator]().next();
    if (value === undefined) throw new Error("nothing was heard of the worker");
    const encoder = new MessageEncoder();
    const say = (body: CoordinatorBody) => router.send(value.identity, [encoder.encode(body)]);
    say({
      kind: "takeCheckpoint",
      jobId: JobIdSchema.parse("j"),
      generation: GenerationSchema.parse(1),
    });
    // The main thread hears of what comes behind it.
    say({ kind: "welcome", heartbeatIntervalMs: 60_000, coordinatorTimeoutMs: 600_000, comeBack: false });
    const { exitCode, stdout, stderr } = await binder.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.trimEnd().split("\n")).toEqual([
      "connected: not asked",
      "told: asked",
      "bound: asked",
      "closed: not asked",
    ]);
  });
});
