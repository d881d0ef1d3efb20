import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HostNetwork, hostsProblem } from "../support/host-network.js";
import { eventsOf, ROOT, type RunningCommand, runTrain, startCommand } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");
const HOSTS = ["node1", "node2"] as const;
const PROBLEM = hostsProblem();
const around = { env: { RINGSTRASSE_TOKEN: "a token for this test alone" } };

describe.skipIf(PROBLEM !== null)(`workers on hosts of their own${PROBLEM === null ? "" : ` (${PROBLEM})`}`, () => {
  let hosts: HostNetwork;

  beforeAll(async () => {
    hosts = await HostNetwork.start(2);
  });
  afterAll(() => hosts?.[Symbol.asyncDispose]());

  /** A coordinator on one host, a worker on each of two others. */
  async function train(more: readonly string[]): Promise<RunningCommand> {
    const folder = await temporaryDirectory();
    const places = ["--out", join(folder, "run"), "--data-dir", join(folder, "rows")];
    const byHand = ["--launcher", "none", "--host", "10.77.0.1", "--port", "0", "--workers", "2", "--engine", "wasm"];
    const args = ["train", IRIS, "--replicas", "4", "--batch-size", "16", ...byHand, ...places, "--json", ...more];
    const coordinator = startCommand(args, { ...around, through: hosts.through("login") });
    let endpoint = "";
    await coordinator.until((_, stderr) => {
      endpoint = /--coordinator (tcp:\/\/\S+)/.exec(stderr)?.[1] ?? "";
      return endpoint !== "";
    });
    for (const host of HOSTS) {
      const worker = ["worker", "--coordinator", endpoint, "--engine", "wasm"];
      startCommand(worker, { ...around, through: hosts.through(host) });
    }
    return coordinator;
  }

  async function finish(command: RunningCommand) {
    const { stdout, stderr } = await command.ended;
    const events = eventsOf(stdout);
    const finished = events.at(-1);
    if (finished?.event !== "finished") throw new Error(`${JSON.stringify(finished)}\n${stderr}`);
    const generation = events.find((event) => event.event === "generation");
    expect(generation?.workers.map(({ host }) => host).sort()).toEqual(HOSTS);
    return { events, finished };
  }

  it("--collective parameter-server gives the bits of one process", async () => {
    const { finished } = await finish(await train(["--epochs", "10", "--collective", "parameter-server"]));
    const folder = await temporaryDirectory();
    const job = [IRIS, "--replicas", "4", "--batch-size", "16", "--engine", "wasm", "--epochs", "10"];
    const alone = await runTrain([...job, "--data-dir", join(folder, "rows"), "--out", join(folder, "run")]);
    const { weightsSha256, stateSha256 } = alone.finished;
    const expected = { collective: "parameter-server", ordered: true, weightsSha256, stateSha256 };
    expect(finished).toMatchObject(expected);
  });

  it("--strategy async learns, and no worker gets further ahead than it may", async () => {
    const { events, finished } = await finish(
      await train(["--epochs", "80", "--strategy", "async", "--max-staleness", "2"]),
    );
    expect(finished).toMatchObject({ collective: "parameter-server", ordered: false });
    expect(finished.trainLoss).toBeLessThan(0.2);
    for (const event of events) {
      if (event.event === "epoch") expect(event.maxStepsAhead).toBeLessThanOrEqual(2);
    }
  });
});
