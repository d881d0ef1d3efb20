import { readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { filePieces } from "../../../shared/file-pieces.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

async function openFiles(): Promise<string[]> {
  const numbers = await readdir("/proc/self/fd");
  return await Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => "gone")));
}

describe("pieces of a file", () => {
  it("are all of it, in order", async () => {
    const path = join(await temporaryDirectory(), "file");
    const bytes = Buffer.alloc(200_000, "0123456789");
    await writeFile(path, bytes);
    const pieces: Uint8Array[] = [];
    for await (const piece of filePieces(path)) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(1);
    expect(Buffer.concat(pieces)).toEqual(bytes);
  });

  it("fail whoever asks for them, and nobody before", async () => {
    const directory = await temporaryDirectory();
    const pieces = filePieces(join(directory, "file"));
    // A stream that was opened at once would have failed by now, with nobody to hear of it.
    await readdir(directory);
    await expect(pieces.next()).rejects.toThrow("ENOENT");
  });

  it.runIf(process.platform === "linux")("leave nothing open, asked for or not", async () => {
    const path = join(await temporaryDirectory(), "file");
    await writeFile(path, Buffer.alloc(200_000));
    const unread = filePieces(path);
    const begun = filePieces(path);
    await begun.next();
    await begun.return();
    await expect.poll(openFiles).not.toContain(path);
    await unread.return();
  });
});
