import { createServer } from "node:net";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { PHASES } from "../../../../shared/protocol/control-message.js";
import { HealthServer } from "../../../../worker/communication/health-server.js";
import { HealthWatch, type WorkerHealth } from "../../../../worker/communication/worker-health.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const FINE: WorkerHealth = { status: "ok", joined: true, phase: "compute", stalledMs: 0 };

async function open(look: () => WorkerHealth): Promise<string> {
  const server = await HealthServer.open(0, look);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return `http://127.0.0.1:${server.port}`;
}

describe("HealthServer", () => {
  it.each([
    [FINE, 200, 200],
    [{ ...FINE, joined: false }, 200, 503],
    [{ ...FINE, status: "hung" } as const, 503, 200],
  ])("%j: health %i, ready %i", async (health, healthCode, readyCode) => {
    const url = await open(() => health);
    const answers = await Promise.all(["/health", "/ready"].map((path) => fetch(url + path)));
    expect(answers.map(({ status }) => status)).toEqual([healthCode, readyCode]);
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([health, health]);
  });

  it("has nothing else to say", async () => {
    const url = await open(() => FINE);
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/constructor`)).status).toBe(404);
    expect((await fetch(`${url}/health`, { method: "POST" })).status).toBe(405);
  });

  it("names a port that somebody else has", async () => {
    const other = createServer().listen({ host: "0.0.0.0", port: 0 });
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const failure = await failureWithCode("ENDPOINT_UNAVAILABLE", () => HealthServer.open(port, () => FINE));
    expect(failure).toMatchObject({
      endpoint: `http://0.0.0.0:${port}`,
      remedy: expect.stringContaining("another port"),
    });
  });
});

describe("HealthWatch", () => {
  it("takes a computation without progress for hung after ten minutes, and a wait for others never", () => {
    const longMs = 601_000;
    for (const phase of PHASES) {
      const watch = new HealthWatch();
      expect(watch.look({ progress: 7, phase }, true, 5)).toEqual({ status: "ok", joined: true, phase, stalledMs: 0 });
      const waits = phase === "idle" || phase === "exchange";
      expect(watch.look({ progress: 7, phase }, true, 5 + longMs)).toMatchObject({
        status: waits ? "ok" : "hung",
        stalledMs: longMs,
      });
      expect(watch.look({ progress: 8, phase }, true, 6 + longMs)).toMatchObject({ status: "ok", stalledMs: 0 });
    }
  });

  it("never takes one for hung whose counter changes from probe to probe", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1e9), fc.constantFrom(...PHASES)), { maxLength: 20 }), (probes) => {
        const watch = new HealthWatch();
        let nowMs = 0;
        for (const [index, [pauseMs, phase]] of probes.entries()) {
          nowMs += pauseMs;
          expect(watch.look({ progress: index % 2, phase }, true, nowMs).status).toBe("ok");
        }
      }),
    );
  });
});
