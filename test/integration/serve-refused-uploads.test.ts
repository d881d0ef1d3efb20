import { connect } from "node:net";
import { expect, it } from "vitest";
import { startServing } from "../support/serving.js";

const PIECE = Buffer.alloc(65_536, 0x61);
/** More than the buffers of two sockets hold. */
const PIECES = 512;
const ROUNDS = 20;

/** Sends a form that is too large, all of it, and listens only then, as many clients do. @returns all that came back */
async function uploadThenRead(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const received: Buffer[] = [];
  const ended = new Promise<string>((resolve) => {
    socket.on("error", () => undefined).once("close", () => resolve(Buffer.concat(received).toString("latin1")));
  });
  socket.pause();
  const sizeBytes = PIECES * PIECE.byteLength;
  socket.write(
    `POST /storage/upload HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=xyz\r\nContent-Length: ${sizeBytes}\r\n\r\n`,
  );
  for (let piece = 0; piece < PIECES; piece++) {
    if (!socket.write(PIECE)) await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
    if (socket.destroyed) break;
  }
  socket.on("data", (bytes: Buffer) => received.push(bytes)).resume();
  return await ended;
}

it("a client that is refused while it sends hears why, every time", async () => {
  const serving = await startServing({ workers: 0, args: ["--max-file=0.001"] });
  for (let round = 0; round < ROUNDS; round++) {
    const answer = await uploadThenRead(serving.url);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain("PAYLOAD_TOO_LARGE");
  }
});
