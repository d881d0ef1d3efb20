import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ProgressBoard } from "../../../../worker/communication/progress-board.js";
import { SessionLinks } from "../../../../worker/communication/session-links.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

describe("SessionLinks", () => {
  it.each(["ring", "parameter-server"] as const)(
    "of a %s leave no folder behind when they can't listen",
    async (collective) => {
      // A unix socket's path has about 100 characters.
      const folder = join(await temporaryDirectory(), "x".repeat(120));
      await mkdir(folder);
      vi.stubEnv("TMPDIR", folder);
      onTestFinished(() => void vi.unstubAllEnvs());
      const membership = { generation: 1, rank: 0, worldSize: 2, replicas: 2 };
      const plan = { membership, transport: "ipc", collectives: [collective], address: "", linkKeys: null } as const;
      await failureWithCode("ENDPOINT_UNAVAILABLE", () => SessionLinks.bind(plan, null, () => undefined));
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it("over unix sockets leave nothing behind once they are hidden, and go on", async () => {
    const folder = await temporaryDirectory();
    vi.stubEnv("TMPDIR", folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const ends: SessionLinks[] = [];
    for (const rank of [0, 1]) {
      const membership = { generation: 1, rank, worldSize: 2, replicas: 2 };
      const links = { transport: "ipc", collectives: ["ring"], address: "", linkKeys: null } as const;
      const end = await SessionLinks.bind({ membership, ...links }, null, () => undefined);
      onTestFinished(() => end[Symbol.asyncDispose]());
      ends.push(end);
    }
    for (const end of ends) end.connect(ends.map(({ endpoint }) => endpoint));
    const [from, to] = ends;
    const pass = async (text: string) => {
      from?.ring?.send({ header: Buffer.from("header"), payload: Buffer.from(text) });
      return Buffer.from((await to?.ring?.receive(new AbortController().signal))?.payload ?? []).toString();
    };
    expect(await pass("one")).toBe("one");
    expect(await readdir(folder)).toHaveLength(2);
    for (const end of ends) await end.hide();
    await to?.hide();
    expect(await readdir(folder)).toEqual([]);
    expect(await pass("two")).toBe("two");
  });

  it.each([
    { collective: "ring", phase: "exchange", counted: 3 },
    { collective: "parameter-server", phase: "exchange", counted: 3 },
    { collective: "ring", phase: "compute", counted: 0 },
  ] as const)("of a $collective count $counted of three frames as progress in phase $phase", async (given) => {
    const { collective, phase, counted } = given;
    const board = new ProgressBoard();
    board.advance(phase);
    const ends: SessionLinks[] = [];
    for (const rank of [0, 1]) {
      const membership = { generation: 1, rank, worldSize: 2, replicas: 2 };
      const links = { transport: "tcp", collectives: [collective], address: "127.0.0.1", linkKeys: null } as const;
      const heard = rank === 1 ? () => board.exchanging() : () => undefined;
      const end = await SessionLinks.bind({ membership, ...links }, null, heard);
      onTestFinished(() => end[Symbol.asyncDispose]());
      ends.push(end);
    }
    for (const end of ends) end.connect(ends.map(({ endpoint }) => endpoint));
    const [from, to] = ends;
    const before = board.read().progress;
    for (let at = 0; at < 3; at++) {
      const frame = { header: Buffer.from("header"), payload: Buffer.from([at]) };
      if (collective === "ring") from?.ring?.send(frame);
      else from?.star?.send(1, frame);
      const received = await (to?.ring ?? to?.star)?.receive(new AbortController().signal);
      expect(received?.payload).toEqual(Buffer.from([at]));
    }
    expect(board.read().progress - before).toBe(counted);
  });
});
