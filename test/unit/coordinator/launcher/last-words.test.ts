import { describe, expect, it } from "vitest";
import { lastWords } from "../../../../coordinator/launcher/last-words.js";

describe("lastWords", () => {
  it("takes the message of the last log line", () => {
    const log = ['{"level":40,"msg":"careful"}', '{"level":50,"failure":{},"msg":"engine wasm: no memory"}', ""].join(
      "\n",
    );
    expect(lastWords(log)).toBe("engine wasm: no memory");
  });

  it("takes the headline of a stack trace", () => {
    const trace = [
      "node:internal/modules/esm/resolve:283",
      "    throw new ERR_MODULE_NOT_FOUND(",
      "",
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find module 'x'",
      "    at finalizeResolution (node:internal/modules/esm/resolve:283:11)",
      "",
      "Node.js v20.20.2",
    ];
    expect(lastWords(trace.join("\n"))).toBe("Error [ERR_MODULE_NOT_FOUND]: Cannot find module 'x'");
  });

  it("takes the last line of anything else, and nothing of nothing", () => {
    expect(lastWords("Killed\nBus error\n")).toBe("Bus error");
    expect(lastWords('"cut off","msg":"x"}\n{"no": "message"}')).toBe('{"no": "message"}');
    expect(lastWords("  \n")).toBeNull();
  });
});
