import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ControlServer } from "../../coordinator/group/control-server.js";
import { createLogger } from "../../shared/logger.js";
import { eventsOf, ROOT, type RunningCommand, runTrain, startCommand } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const TOKEN = "a token for this test alone";

/** The endpoint that a coordinator says it waits at. */
async function endpointOf(coordinator: RunningCommand): Promise<string> {
  let said = "";
  await coordinator.until((_, stderr) => {
    said = /ringstrasse worker --coordinator (tcp:\/\/\S+)/.exec(stderr)?.[1] ?? "";
    return said !== "";
  });
  return said;
}

describe("workers started by hand", () => {
  it("join the endpoint that train prints, and give the bits of launched ones; all exit with 0", async () => {
    const folder = await temporaryDirectory();
    const job = [IRIS, "--workers", "2", "--replicas", "4", "--epochs", "30", "--data-dir", join(folder, "rows")];
    const byHand = ["--launcher", "none", "--port", "0", "--token", TOKEN, "--out", join(folder, "by-hand")];
    const coordinator = startCommand(["train", ...job, ...byHand, "--json"]);
    const endpoint = await endpointOf(coordinator);
    expect(endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);

    const env = { RINGSTRASSE_TOKEN: TOKEN };
    const workers = [0, 1].map(() => startCommand(["worker", "--coordinator", endpoint], { env }));
    const ends = await Promise.all(workers.map((worker) => worker.ended));
    const end = await coordinator.ended;
    expect({ exitCode: end.exitCode, workers: ends.map(({ exitCode }) => exitCode) }).toEqual({
      exitCode: 0,
      workers: [0, 0],
    });
    const events = eventsOf(end.stdout);
    const [generation] = events.filter((event) => event.event === "generation");
    const pids = generation?.workers.map(({ pid }) => pid ?? 0) ?? [];
    expect(pids.sort()).toEqual(workers.map(({ child }) => child.pid ?? -1).sort());

    const launched = await runTrain([...job, "--out", join(folder, "launched")]);
    expect(events.at(-1)).toMatchObject({
      event: "finished",
      weightsSha256: launched.finished.weightsSha256,
      stateSha256: launched.finished.stateSha256,
      testLoss: launched.finished.testLoss,
    });
  });

  it("leave no sockets behind when one of them is killed", async () => {
    const folder = await temporaryDirectory();
    const [rows, out, sockets] = ["rows", "run", "sockets"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await mkdir(sockets);
    const job = [IRIS, "--workers", "2", "--collective", "hierarchical", "--inject-fault", "crash@rank=1,step=3"];
    const byHand = ["--launcher", "none", "--port", "0", "--token", TOKEN, "--data-dir", rows, "--out", out];
    const coordinator = startCommand(["train", ...job, ...byHand, "--json"]);
    const endpoint = await endpointOf(coordinator);
    const env = { RINGSTRASSE_TOKEN: TOKEN, TMPDIR: sockets };
    const workers = [0, 1].map(() => startCommand(["worker", "--coordinator", endpoint], { env }));
    await Promise.all(workers.map((worker) => worker.ended));
    expect(eventsOf((await coordinator.ended).stdout).at(-1)).toMatchObject({ event: "failed", rank: 1 });
    expect(await readdir(sockets)).toEqual([]);
  });

  it("that are told to leave while they wait for a coordinator that was lost join no other", async () => {
    const welcome = { kind: "welcome", heartbeatIntervalMs: 50, coordinatorTimeoutMs: 300, comeBack: true } as const;
    const open = async (endpoint: string) => {
      const joins: string[] = [];
      const server = await ControlServer.open(endpoint, TOKEN, createLogger("silent", {}));
      onTestFinished(() => server[Symbol.asyncDispose]());
      server.listen({
        joined: ({ workerId }) => {
          joins.push(workerId);
          server.send(workerId, welcome);
          return null;
        },
        received: () => undefined,
        troubled: () => undefined,
      });
      return { server, joins };
    };
    const first = await open("tcp://127.0.0.1:0");
    const { endpoint } = first.server;
    const worker = startCommand(["worker", "--coordinator", endpoint], { env: { RINGSTRASSE_TOKEN: TOKEN } });
    // No heartbeat is answered.
    await worker.until((_, stderr) => stderr.includes("joining again"));
    expect(first.joins).toHaveLength(1);
    await first.server[Symbol.asyncDispose]();
    worker.child.kill("SIGTERM");
    const second = await open(endpoint);
    expect((await worker.ended).exitCode).toBe(130);
    expect(second.joins).toEqual([]);
  });

  it("a worker with another token is refused, and takes no one's place", async () => {
    const folder = await temporaryDirectory();
    const places = ["--data-dir", join(folder, "rows"), "--out", join(folder, "run")];
    const flags = ["--launcher", "none", "--port", "0", "--token", TOKEN, "--epochs", "5"];
    const coordinator = startCommand(["train", IRIS, ...flags, ...places, "--json"]);
    const endpoint = await endpointOf(coordinator);
    const start = (token: string): RunningCommand =>
      startCommand(["worker", "--coordinator", endpoint], { env: { RINGSTRASSE_TOKEN: token } });
    const stranger = await start("another token").ended;
    expect(stranger.exitCode).not.toBe(0);
    expect(stranger.stderr).toMatch(/token/i);
    expect(stranger.stderr + stranger.stdout).not.toContain(TOKEN);
    const member = await start(TOKEN).ended;
    expect(member.exitCode).toBe(0);
    expect((await coordinator.ended).exitCode).toBe(0);
  });
});
