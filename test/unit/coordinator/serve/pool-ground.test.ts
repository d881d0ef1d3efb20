import { describe, expect, it, onTestFinished } from "vitest";
import { ControlServer } from "../../../../coordinator/group/control-server.js";
import { WorkerPool } from "../../../../coordinator/group/worker-pool.js";
import type { TrainingRun } from "../../../../coordinator/job/training-run.js";
import { PoolGround } from "../../../../coordinator/serve/pool-ground.js";
import { createLogger } from "../../../../shared/logger.js";
import type { TrainEvent } from "../../../../shared/train-events.js";
import { ControlClient, joinMessage } from "../../../support/control-client.js";
import { documentXml, STORE_KINDS, servicePlace, upload } from "../../../support/service-place.js";

const TOKEN = "right";
const WANTED = { min: 1, max: 1, engine: "auto", threads: 1, precision: "float32" } as const;

/** A run of one worker, as the service plans it. */
async function plannedRun(): Promise<TrainingRun> {
  const place = await servicePlace(STORE_KINDS[1]!);
  await upload(place, "rows.txt");
  const { id } = await place.service.submit({ format: "xml", bytes: Buffer.from(documentXml()) });
  await place.service.queue(id);
  return (await place.ground.next()).run;
}

/** A ground on a pool with one worker, which the test plays. */
async function openGround() {
  const log = createLogger("silent", { process: "test" });
  const server = await ControlServer.open("tcp://127.0.0.1:0", TOKEN, log);
  const ground = new PoolGround(log);
  const policy = { heartbeatIntervalMs: 50, silentAfterMs: 60_000, comeBack: true };
  const pool = new WorkerPool({ server, policy, admit: () => null, listener: ground, log });
  ground.attach(pool);
  onTestFinished(async () => {
    await pool.close(null);
    await server[Symbol.asyncDispose]();
  });
  const join = async (name: string) => {
    const client = new ControlClient(server.endpoint, name, TOKEN);
    await client.send(joinMessage(name, { token: TOKEN }));
    await client.nextOf("welcome");
  };
  return { ground, pool, join };
}

describe("PoolGround", () => {
  it("trains nothing, and blames nobody, when the worker goes between its choice and the start", async () => {
    const run = await plannedRun();
    const { ground, pool, join } = await openGround();
    await join("alice");
    const heard: TrainEvent["event"][] = [];
    const emit = ({ event }: TrainEvent) => {
      heard.push(event);
      // The output directory is there: what follows is the start itself.
      if (event === "started") pool.condemn(pool.workers[0]!, { code: "INTERNAL", problem: "it went" });
    };
    const onStop = () => ({ [Symbol.dispose]: () => undefined });
    const { signal } = new AbortController();
    expect(await ground.train(run, { emit, signal, onStop })).toBeNull();
    expect(heard).toEqual(["started"]);
    await join("bob");
    expect(ground.capacity(WANTED)).toEqual({ present: 1, idle: 1 });
  });

  it("trains nothing while nobody is idle", async () => {
    const run = await plannedRun();
    const { ground, pool, join } = await openGround();
    await join("alice");
    const around = {
      emit: () => undefined,
      signal: AbortSignal.abort(),
      onStop: () => ({ [Symbol.dispose]: () => undefined }),
    };
    pool.workers[0]!.state = "lent";
    expect(await ground.train(run, around)).toBeNull();
  });
});
