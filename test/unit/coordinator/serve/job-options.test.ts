import { describe, expect, it } from "vitest";
import { jobOptions } from "../../../../coordinator/serve/job-options.js";

describe("options of all jobs of a server", () => {
  it("save the state every five minutes unless something else is said", () => {
    expect(jobOptions({})).toEqual({ "checkpoint-minutes": 5 });
    expect(jobOptions({ "checkpoint-minutes": 0.5 })).toEqual({ "checkpoint-minutes": 0.5 });
    expect(jobOptions({ "checkpoint-minutes": 0 })).toEqual({});
  });

  it("leave the clock out when steps or epochs decide, unless it is named too", () => {
    expect(jobOptions({ "checkpoint-epochs": 2 })).toEqual({ "checkpoint-epochs": 2 });
    expect(jobOptions({ "checkpoint-steps": 9, "checkpoint-minutes": 1, "keep-checkpoints": 4 })).toEqual({
      "checkpoint-steps": 9,
      "checkpoint-minutes": 1,
      "keep-checkpoints": 4,
    });
  });

  it("are those alone that mean the same for a job", () => {
    const given = { engine: "wasm", threads: 2, encrypt: true, "silence-timeout": 3, "stall-timeout": 4 } as const;
    const server = { port: 0, workers: 2, "data-dir": "/data", token: "12345678", json: true } as const;
    expect(jobOptions({ ...given, ...server, "checkpoint-minutes": 0 })).toEqual(given);
  });
});
