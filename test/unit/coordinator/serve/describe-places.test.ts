import { describe, expect, it } from "vitest";
import { describePlaces } from "../../../../coordinator/serve/serve.js";

const PLACES = { workerToken: "secret", localEngine: null };

describe("describePlaces", () => {
  it.each(["0.0.0.0", "[::]"])(
    "of a server that listens at %s: an address that is its own on other hosts too",
    (all) => {
      const text = describePlaces({ ...PLACES, url: `http://${all}:8080`, controlEndpoint: `tcp://${all}:7070` });
      expect(text).not.toContain(all);
      expect(text).toMatch(
        /^ringstrasse serves at http:\/\/[\d.]+:8080\nmore workers: RINGSTRASSE_TOKEN=secret ringstrasse worker --coordinator tcp:\/\/[\d.]+:7070$/,
      );
    },
  );

  it("of one that listens at one address: that address", () => {
    const text = describePlaces({ ...PLACES, url: "http://127.0.0.1:8080", controlEndpoint: null });
    expect(text).toBe("ringstrasse serves at http://127.0.0.1:8080\njobs run as batch jobs of Slurm");
  });
});
