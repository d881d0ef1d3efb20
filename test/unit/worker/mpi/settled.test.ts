import { describe, expect, it } from "vitest";
import type { MpiRequest } from "../../../../worker/mpi/mpi.js";
import { settled } from "../../../../worker/mpi/settled.js";

/** Is done when it has been asked so many times. */
function countdown(from: number): MpiRequest & { readonly asked: () => number } {
  let asked = 0;
  return {
    isDone: () => {
      asked += 1;
      return asked >= from;
    },
    abandon: () => undefined,
    asked: () => asked,
  };
}

describe("settled", () => {
  it("asks each request until it is done, and never again after that", async () => {
    const requests = [countdown(3), countdown(1), countdown(150)];
    await settled(requests, new AbortController().signal);
    expect(requests.map(({ asked }) => asked())).toEqual([3, 1, 150]);
  });

  it("lets the event loop turn while it waits, so that an abort is heard", async () => {
    const abort = new AbortController();
    setImmediate(() => abort.abort("called off"));
    await expect(settled([countdown(Number.POSITIVE_INFINITY)], abort.signal)).rejects.toBe("called off");
  });

  it("passes on what MPI says", async () => {
    const broken = {
      isDone: () => {
        throw new Error("MPI_Test: no");
      },
      abandon: () => undefined,
    };
    await expect(settled([broken], new AbortController().signal)).rejects.toThrow("MPI_Test: no");
  });
});
