import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blockPlan } from "../../../../shared/arena-layout.js";
import { RingstrasseError } from "../../../../shared/failure.js";
import type { AsyncParameters } from "../../../../worker/async/async-parameters.js";
import { createAsyncParameters } from "../../../../worker/async/create-async-parameters.js";
import type { PushPull } from "../../../../worker/async/push-pull.js";
import { encodeHeader } from "../../../../worker/collective/frame-header.js";
import type { Address } from "../../../../worker/kernels/kernels.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import type { StarTransport } from "../../../../worker/transport/star-transport.js";
import { LAYOUT_HASH } from "../../../support/exchange-group.js";
import { connectStar, STAR_LINK_KINDS, type StarLinks } from "../../../support/star-links.js";

/** Several blocks, the last one shorter. */
const LENGTH = 4 * 65_536 + 160;
const BLOCKS = blockPlan(LENGTH, 1);
const RATE = 0.5;

interface Member {
  readonly parameters: AsyncParameters;
  readonly memory: SharedMemory;
  readonly gradients: Address;
  readonly pulled: Address;
}

interface Shape {
  readonly workers: number;
  readonly most?: number;
  readonly layoutHash?: (rank: number) => string;
}

for (const kind of STAR_LINK_KINDS) {
  describe(`asynchronous parameters over ${kind.name}`, () => {
    let links: StarLinks;
    let over: AbortController;
    let stars: StarTransport[];
    beforeEach(async () => {
      links = await kind.setup();
      over = new AbortController();
    });
    afterEach(async () => {
      over.abort(new Error("the test is over"));
      await links.teardown();
    });

    async function group({ workers, most = 4, layoutHash = () => LAYOUT_HASH }: Shape): Promise<Member[]> {
      stars = await links.bind(workers);
      connectStar(stars);
      return Promise.all(
        stars.map(async (star, rank) => {
          const memory = new SharedMemory();
          const arena = () => memory.allocate(LENGTH * 4);
          const [gradients, pulled] = [arena(), arena()];
          const store =
            rank === 0
              ? { parameters: arena(), state: [arena()], inbox: memory.allocate(65_536 * 4), updates: 0 }
              : null;
          const membership = { generation: 1, rank, worldSize: workers, replicas: workers };
          const kernels = instantiateKernels(await compileKernels(), memory.memory);
          const optimizer = { kind: "momentum", learningRate: RATE, momentum: 0.5 } as const;
          const plan = { optimizer, mostStepsAhead: most, store };
          const options = { plan, membership, blocks: BLOCKS, memory: memory.memory, kernels };
          const parameters = createAsyncParameters(
            { ...options, star: workers === 1 ? null : star, layoutHash: layoutHash(rank) },
            over.signal,
          );
          return { parameters, memory, gradients, pulled };
        }),
      );
    }

    const push = (member: Member, change: Partial<PushPull> = {}) => {
      const { gradients, pulled: into } = member;
      const request = { count: 1, learningRate: RATE, completesStep: true, gradients, pulled: 0, into };
      return member.parameters.pushPull({ ...request, ...change }, over.signal);
    };
    const fill = ({ memory, gradients }: Member, value: number) => memory.float32(gradients, LENGTH).fill(value);
    const pulledBy = ({ memory, pulled }: Member) => [...new Set(memory.float32(pulled, LENGTH))];

    it.each([1, 3])("applies every push of %i workers wholly, once, one after the other", async (workers) => {
      const members = await group({ workers });
      const steps = 5;
      await Promise.all(
        members.map(async (member) => {
          for (let step = 0; step < steps; step++) {
            fill(member, -1);
            const { staleness, stepsAhead } = await push(member);
            expect(pulledBy(member)).toHaveLength(1);
            expect(staleness).toBeLessThanOrEqual((workers - 1) * steps);
            expect(stepsAhead).toBeLessThanOrEqual(4);
          }
          await member.parameters.sum(Float64Array.of(0), over.signal);
          await push(member, { count: 0, completesStep: false });
        }),
      );
      // Momentum makes the result a function of how many updates there were, and of nothing else: all gradients are alike.
      let [parameter, velocity] = [0, 0];
      for (let update = 0; update < workers * steps; update++) {
        velocity = Math.fround(0.5 * velocity - 1);
        parameter = Math.fround(parameter - Math.fround(RATE * velocity));
      }
      for (const member of members) expect(pulledBy(member)).toEqual([parameter]);
      for (const member of members) await push(member, { count: 0, completesStep: false, pulled: 1 });
      for (const member of members) expect(pulledBy(member)).toEqual([velocity]);
    });

    it("lets no worker go on that is too far ahead, until the slowest has come closer", async () => {
      const members = await group({ workers: 3, most: 2 });
      const [server, fast, slow] = members;
      if (server === undefined || fast === undefined || slow === undefined) throw new Error("three workers expected");
      for (const stepsAhead of [1, 2]) expect(await push(fast)).toMatchObject({ stepsAhead });
      let isThrough = false;
      const third = push(fast).then((report) => {
        isThrough = true;
        return report;
      });
      expect(await push(server)).toMatchObject({ stepsAhead: 1, staleness: 2 });
      // The slowest is served beside it, though it has asked later.
      await push(slow, { completesStep: false, count: 0 });
      for (let turn = 0; turn < 100; turn++) await nextTurn();
      expect(isThrough).toBe(false);
      // It has just pulled: nothing has changed since then. `fast` has pulled before the server and the slowest pushed.
      expect(await push(slow)).toMatchObject({ stepsAhead: 0, staleness: 0 });
      expect(await third).toMatchObject({ stepsAhead: 2, staleness: 2 });
    });

    it.each([1, 3])(
      "counts what is served for the steps of %i workers at the server, as their own counts add up",
      async (workers) => {
        const members = await group({ workers });
        const told = { sent: 0, received: 0, servedSent: 0, servedReceived: 0 };
        const tell = ({ sentBytes, receivedBytes, served }: Awaited<ReturnType<typeof push>>, isStep: boolean) => {
          told.sent += isStep ? sentBytes : 0;
          told.received += isStep ? receivedBytes : 0;
          told.servedSent += served.sentBytes;
          told.servedReceived += served.receivedBytes;
        };
        await Promise.all(
          members.map(async (member, rank) => {
            // Of uneven length, one without rows: the server is through before the others are.
            for (let step = 0; step < 2 + rank; step++) tell(await push(member, { count: step === 1 ? 0 : 1 }), true);
            await member.parameters.sum(Float64Array.of(0, 0), over.signal);
            tell(await push(member, { count: 0, completesStep: false, pulled: 1 }), false);
          }),
        );
        expect([told.servedSent, told.servedReceived]).toEqual([told.received, told.sent]);
        const steps = workers === 1 ? 0 : 3 + 4;
        expect(told.received).toBe(steps * (LENGTH * 4 + 16));
        expect(told.sent).toBe((steps - (workers - 1)) * LENGTH * 4 + steps * 32);
      },
    );

    it("leaves the memory of the worker that has the parameters alone once its call was called off", async () => {
      const [server] = await group({ workers: 2 });
      if (server === undefined) throw new Error("a worker expected");
      fill(server, -1);
      const calledOff = push(server).catch((error: unknown) => error);
      await nextTurn();
      const reason = new RingstrasseError({ code: "INTERRUPTED", signal: "SIGTERM" });
      over.abort(reason);
      expect(await calledOff).toBe(reason);
      // As the next job, which may begin now, finds it and writes to it.
      const pattern = server.memory.float32(server.pulled, LENGTH).fill(7);
      await server.parameters[Symbol.asyncDispose]();
      for (let turn = 0; turn < 100; turn++) await nextTurn();
      expect(pattern.every((value) => value === 7)).toBe(true);
    });

    it("sums numbers over all workers, for all of them", async () => {
      const members = await group({ workers: 3 });
      for (const round of [1, 2]) {
        const sums = await Promise.all(
          members.map(({ parameters }, rank) => parameters.sum(Float64Array.of(rank, round), over.signal)),
        );
        for (const { totals } of sums) expect([...totals]).toEqual([3, 3 * round]);
        expect(sums.map(({ sentBytes, receivedBytes }) => [sentBytes, receivedBytes])).toEqual([
          [2 * 16, 2 * 16],
          [16, 16],
          [16, 16],
        ]);
      }
    });

    it("names a worker that holds another model, to the worker that has the parameters", async () => {
      const other = "fedcba9876543210".repeat(4);
      const members = await group({ workers: 2, layoutHash: (rank) => (rank === 1 ? other : LAYOUT_HASH) });
      const [server, client] = members;
      if (server === undefined || client === undefined) throw new Error("two workers expected");
      const waiting = server.parameters.sum(Float64Array.of(1), over.signal);
      const stranded = push(client).catch((error: unknown) => error);
      const problem = expect.stringContaining("its layout hash begins with fedcba9876543210");
      const failure = { code: "PROTOCOL_VIOLATION", from: "worker rank 1", problem };
      await expect(waiting).rejects.toMatchObject({ failure });
      await expect(push(server)).rejects.toMatchObject({ failure });
      over.abort(new Error("called off"));
      expect(await stranded).toEqual(new Error("called off"));
    });

    it.each([
      [
        "gradients out of turn",
        { phase: "gradient", bytes: 64 } as const,
        "gradient of block 0 in call 0, 64 bytes: it is not its turn",
      ],
      ["what no worker asks for", { phase: "ask", bytes: 8 } as const, "what it asks for can't be"],
      ["what only the server sends", { phase: "grant", bytes: 16 } as const, "only the server sends that"],
      ["numbers that are none", { phase: "partial", bytes: 7 } as const, "no numbers are so long"],
    ])("refuses %s", async (_what, { phase, bytes }, problem) => {
      const [server] = await group({ workers: 2 });
      const waiting = server?.parameters.sum(Float64Array.of(1), over.signal);
      const layout = BigInt(`0x${LAYOUT_HASH.slice(0, 16)}`);
      const numbers = { generation: 1, sequence: 0, block: 0, folded: 1, payloadBytes: bytes, sender: 1 };
      stars[1]?.send(0, { header: encodeHeader({ ...numbers, phase, layout }), payload: new Uint8Array(bytes) });
      const failure = { code: "PROTOCOL_VIOLATION", from: "worker rank 1", problem: expect.stringContaining(problem) };
      await expect(waiting).rejects.toMatchObject({ failure });
    });
  });
}
