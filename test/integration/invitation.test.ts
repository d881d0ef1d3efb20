import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT, startCommand } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");

it("train --launcher none at all addresses: a worker joins by the command that it tells, which means it on other hosts too", async () => {
  const folder = await temporaryDirectory();
  const byHand = ["--launcher", "none", "--workers", "1", "--host", "0.0.0.0", "--engine", "wasm", "--epochs", "2"];
  const places = ["--out", join(folder, "out"), "--data-dir", join(folder, "rows")];
  const train = startCommand(["train", IRIS, ...byHand, ...places]);
  let told: RegExpExecArray | null = null;
  await train.until((_, stderr) => {
    told = /RINGSTRASSE_TOKEN=(\S+) ringstrasse (worker --coordinator (tcp:\S+) --engine wasm)\n/.exec(stderr);
    return told !== null;
  });
  const [, token = "", command = "", endpoint] = told ?? [];
  expect(endpoint).not.toContain("0.0.0.0");
  const worker = startCommand(command.split(" "), { env: { RINGSTRASSE_TOKEN: token } });
  const ends = await Promise.all([worker.ended, train.ended]);
  expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
});
