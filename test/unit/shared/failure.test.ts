import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describeFailure } from "../../../shared/describe-failure.js";
import {
  exitCodeOf,
  type Failure,
  type FailureCode,
  FailureSchema,
  RingstrasseError,
  toFailure,
} from "../../../shared/failure.js";

const place = { file: "net.xml", line: 7, column: 3, elementPath: "/definition/structure" } as const;
const worker = { rank: 1, host: "h", pid: 42, replicas: [2, 3], step: 9 };
const advice = { problem: "it is broken", remedy: "Mend it" };

/** One of every code; the type makes sure that none is forgotten. Beside it: exit code and message. */
const EVERY: {
  readonly [Code in FailureCode]: readonly [Omit<Extract<Failure, { code: Code }>, "code">, number, string];
} = {
  USAGE: [{ option: "--workers", ...advice }, 2, "--workers: it is broken. Mend it"],
  DOCUMENT_INVALID: [{ ...place, ...advice }, 3, "net.xml:7:3: /definition/structure: it is broken. Mend it"],
  DOCUMENT_UNSUPPORTED: [
    { ...place, problem: "unknown", supported: ["a", "b"] },
    3,
    "net.xml:7:3: /definition/structure: unknown. Supported: a, b",
  ],
  INPUT_MISSING: [{ file: "rows.csv", ...advice }, 3, "rows.csv: it is broken. Mend it"],
  DATA_INVALID: [
    { file: "rows.csv", row: 5, column: 0, ...advice },
    3,
    "rows.csv, row 5, column 0: it is broken. Mend it",
  ],
  DATA_MISMATCH: [
    { file: "rows.csv", elementPath: "/definition/x", ...advice },
    3,
    "rows.csv against /definition/x: it is broken. Mend it",
  ],
  MODEL_INVALID: [{ file: "model.json", ...advice }, 3, "model.json: it is broken. Mend it"],
  CHECKPOINT_UNUSABLE: [{ path: "run", ...advice }, 3, "run: it is broken. Mend it"],
  CHECKPOINT_UNREADABLE: [{ path: "run", ...advice }, 3, "run: it is broken. Mend it"],
  RESUME_MISMATCH: [
    { checkpoint: "a.ckpt", what: "the seed", expected: "1", got: "2", remedy: "Give --seed 1" },
    2,
    "a.ckpt is of another job: the seed was 1, and is 2. Give --seed 1",
  ],
  CHOICE_UNSUPPORTED: [
    { option: "--engine", value: "steam", supported: ["wasm"], remedy: "Wait" },
    4,
    "--engine steam is not available. Supported: wasm. Wait",
  ],
  OUTPUT_UNWRITABLE: [{ path: "/proc/x", ...advice }, 4, "/proc/x: it is broken. Mend it"],
  ENDPOINT_UNAVAILABLE: [{ endpoint: "tcp://a:1", ...advice }, 4, "tcp://a:1: it is broken. Mend it"],
  ENGINE_UNAVAILABLE: [{ engine: "wasm", ...advice }, 4, "engine wasm: it is broken. Mend it"],
  COLLECTIVE_UNAVAILABLE: [{ collective: "shm", ...advice }, 4, "collective shm: it is broken. Mend it"],
  LAUNCH_FAILED: [{ host: "h", ...advice }, 4, "could not start a worker on h: it is broken. Mend it"],
  BATCH_FAILED: [{ batchJob: "12", state: "TIMEOUT", ...advice }, 5, "batch job 12 (TIMEOUT): it is broken. Mend it"],
  BATCH_REFUSED: [{ option: "--nodes", ...advice }, 4, "--nodes: it is broken. Mend it"],
  RENDEZVOUS_TIMEOUT: [
    { joined: 1, expected: 2, waitedMs: 1000, problem: "start the other" },
    5,
    "1 of 2 workers joined within 1000 ms: start the other",
  ],
  WORKER_REFUSED: [
    { workerId: "w", host: "h", what: "the token", expected: "mine", got: "another", remedy: "Give mine" },
    5,
    "worker w on h was refused: the token is another, expected mine. Give mine",
  ],
  WORKER_DIED: [
    { ...worker, how: "killed by SIGKILL", lastWords: "alas" },
    5,
    "worker rank 1 (h, pid 42, replicas 2 3) in step 9 died (killed by SIGKILL); its last words: alas",
  ],
  WORKER_LEFT: [
    { ...worker, signal: "SIGTERM", resumeFrom: "runs/a" },
    5,
    "worker rank 1 (h, pid 42, replicas 2 3) in step 9 was told to leave by SIGTERM; go on with --resume runs/a",
  ],
  WORKER_SILENT: [
    { ...worker, step: null, silentMs: 9 },
    5,
    "worker rank 1 (h, pid 42, replicas 2 3) before the first step has been silent for 9 ms",
  ],
  WORKER_STALLED: [
    { ...worker, rank: null, stalledMs: 9, phase: "compute" },
    5,
    "a worker without a rank (h, pid 42, replicas 2 3) in step 9 answers, but has made no progress for 9 ms (compute)",
  ],
  COORDINATOR_LOST: [
    { endpoint: "tcp://a:1", silentMs: 9, problem: "no answer" },
    5,
    "coordinator tcp://a:1: no answer",
  ],
  PROTOCOL_VIOLATION: [{ from: "worker w", problem: "nonsense" }, 5, "worker w broke the protocol: nonsense"],
  NOT_FINITE: [
    { epoch: 1, step: 2, tensor: "the loss", value: "NaN", learningRate: 0.1, remedy: "Lower it" },
    5,
    "epoch 1, step 2: the loss is NaN at learning rate 0.1. Lower it",
  ],
  STORE_UNAVAILABLE: [{ path: "/data", ...advice }, 4, "/data: it is broken. Mend it"],
  STORE_INCOMPATIBLE: [{ path: "/data", ...advice }, 4, "/data: it is broken. Mend it"],
  STORE_DAMAGED: [{ path: "/data", ...advice }, 4, "/data: it is broken. Mend it"],
  QUOTA_EXCEEDED: [{ quota: "file", limitBytes: 10, ...advice }, 4, "it is broken. Mend it"],
  NOT_FOUND: [{ what: "job", id: "a1", remedy: "List them" }, 3, "there is no job a1. List them"],
  CONFLICT: [{ what: "file", id: "a1", ...advice }, 4, "file a1: it is broken. Mend it"],
  WORKERS_DIVERGED: [
    { what: "weights", hashes: { "rank 0": "aa", "rank 1": "bb" } },
    5,
    "workers hold different weights: rank 0 aa, rank 1 bb. This is a defect of the software or of a machine; please report it",
  ],
  INTERNAL: [{ problem: "oh" }, 5, "internal error: oh"],
  EVALUATION_TIMEOUT: [{ limitMs: 100, ...advice }, 5, "it is broken. Mend it"],
  INTERRUPTED: [{ signal: "SIGINT" }, 130, "interrupted by SIGINT"],
  CANCELLED: [{ what: "job", id: "5ab9" }, 130, "job 5ab9 was cancelled"],
  REPORTED: [{ problem: "the node is gone" }, 5, "the node is gone"],
};

describe("failures", () => {
  for (const [code, [facts, exitCode, message]] of Object.entries(EVERY)) {
    it(`${code}: exit ${exitCode}, and a message of one line with place and remedy`, () => {
      const failure = FailureSchema.parse({ code, ...facts });
      expect(exitCodeOf(failure.code)).toBe(exitCode);
      expect(describeFailure(failure)).toContain(message);
      expect(describeFailure(failure)).not.toContain("\n");
      expect(describeFailure(failure)).not.toMatch(/undefined|null|\[object/);
    });
  }

  it("places leave out what is not known", () => {
    const nowhere = { code: "DOCUMENT_INVALID", file: null, line: null, column: null, elementPath: null } as const;
    expect(describeFailure({ ...nowhere, ...advice })).toBe("it is broken. Mend it");
    expect(describeFailure({ ...nowhere, file: "n.xml", ...advice })).toBe("n.xml: it is broken. Mend it");
    expect(describeFailure({ ...nowhere, file: "n.xml", line: 2, ...advice })).toBe("n.xml:2: it is broken. Mend it");
    const file = { code: "DATA_INVALID", file: "r.csv", row: null, column: null } as const;
    expect(describeFailure({ ...file, ...advice })).toBe("r.csv: it is broken. Mend it");
  });

  it("a switch that can't be had is named without a value", () => {
    const failure = {
      code: "CHOICE_UNSUPPORTED",
      option: "--insecure",
      value: "",
      supported: [],
      remedy: "Wait",
    } as const;
    expect(describeFailure({ ...failure, supported: [] })).toBe("--insecure is not available. Wait");
  });

  it("an error carries its failure, message and cause; anything else becomes INTERNAL with what is known", () => {
    const cause = new Error("below");
    const failure: Failure = { code: "USAGE", option: null, ...advice };
    const error = new RingstrasseError(failure, { cause });
    expect(error).toMatchObject({ name: "RingstrasseError", message: "it is broken. Mend it", cause });
    expect(toFailure(error)).toBe(failure);
    expect(toFailure(new RangeError("out"))).toMatchObject({
      code: "INTERNAL",
      problem: expect.stringContaining("RangeError: out"),
    });
    expect(toFailure("thrown text")).toEqual({ code: "INTERNAL", problem: "thrown text" });
  });

  it("docs/output.md lists every code beside the exit code that it comes to", () => {
    const page = readFileSync(new URL("../../../docs/output.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| (\d+) \| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|$/gm)];
    const listed = rows.flatMap(([, exitCode, codes]) =>
      (codes ?? "").split(", ").map((code) => [code.slice(1, -1), Number(exitCode)] as const),
    );
    const expected = FailureSchema.options.map(({ shape }) => shape.code.value).map((code) => [code, exitCodeOf(code)]);
    expect([...listed].sort()).toEqual([...expected].sort());
  });
});
