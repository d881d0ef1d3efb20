import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
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
      await failureWithCode("ENDPOINT_UNAVAILABLE", () => SessionLinks.bind(plan, null));
      expect(await readdir(folder)).toEqual([]);
    },
  );
});
