import { describe, expect, it } from "vitest";
import { settleEngine } from "../../../../coordinator/job/settle-engine.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const DOCUMENT = { engine: "tensorflow", threads: 2, paths: { threads: "/definition/threads" } };
const NOTHING = { paths: {} };

describe("settleEngine", () => {
  it("options rank over the document, the document over auto with one thread", () => {
    const settled = (execution: typeof DOCUMENT | typeof NOTHING, options = {}, sources = {}) =>
      settleEngine({ execution, options, sources, file: null });
    expect(settled(NOTHING)).toEqual({
      engine: { value: "auto", source: "default" },
      threads: { value: 1, source: "default" },
    });
    expect(settled(DOCUMENT)).toEqual({
      engine: { value: "tensorflow", source: "document" },
      threads: { value: 2, source: "document" },
    });
    expect(settled(DOCUMENT, { engine: "auto", threads: 1 }, { engine: "environment", threads: "flag" })).toEqual({
      engine: { value: "auto", source: "environment" },
      threads: { value: 1, source: "flag" },
    });
  });

  it("several threads with wasm are refused where they were asked for", async () => {
    const settle = (execution: typeof DOCUMENT | typeof NOTHING, options: object, file: string | null) =>
      failureWithCode("CHOICE_UNSUPPORTED", () => settleEngine({ execution, options, sources: {}, file }));
    const remedy = expect.stringMatching(/one thread: use --engine tensorflow/);
    const flag = await settle(NOTHING, { engine: "wasm", threads: 3 }, "net.xml");
    expect(flag).toMatchObject({ option: "--threads", value: "3", supported: ["1"], remedy });
    const document = await settle(DOCUMENT, { engine: "wasm" }, "net.xml");
    expect(document).toMatchObject({ option: "net.xml: /definition/threads:", value: "2" });
    expect(await settle(DOCUMENT, { engine: "wasm" }, null)).toMatchObject({ option: "/definition/threads" });
  });
});
