import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { isSystemError } from "../../shared/write-failure.js";
import { askServer } from "./ask-server.js";
import { engineUnavailable } from "./engine-failure.js";
import { describeNetworkError, type HttpClient, type HttpResponse } from "./http-client.js";
import { type LocatedSource, parseHash } from "./package-source.js";
import { type RetryPolicy, retrying, TransientFailure } from "./transient-failures.js";

export interface Download {
  /** For messages. */
  readonly engine: string;
  readonly located: LocatedSource;
  /** Where files wait until the engine is complete. Nobody else may write there meanwhile. */
  readonly directory: string;
  readonly http: HttpClient;
  readonly retries: RetryPolicy;
  readonly signal: AbortSignal;
  /** @param receivedBytes of the file that are here, those of earlier tries included. */
  readonly onProgress: (receivedBytes: number) => void;
}

export interface Downloaded {
  readonly path: string;
  /** That went over the network now. */
  readonly transferredBytes: number;
}

/** Where the unfinished bytes of a file lie: named by their hash, so that a later try of any kind finds them. */
export function partPath(directory: string, hash: string): string {
  return join(directory, `${parseHash(hash).hex.slice(0, 32)}.part`);
}

/**
 * Brings a file here, going on where an earlier try ended, and compares it with its hash. May be killed at any moment.
 * What a
 * resumed download has wrong is fetched anew once.
 * @throws RingstrasseError ENGINE_UNAVAILABLE; system errors of the directory; the signal's reason
 */
export async function downloadSource(download: Download): Promise<Downloaded> {
  const { engine, located, directory, retries, signal } = download;
  const { source } = located;
  const path = partPath(directory, source.hash);
  let transferredBytes = 0;
  for (let round = 0; ; round++) {
    const before = await sizeOf(path);
    await retrying({ ...retries, signal }, async (progress) => {
      await fetchRest(path, download, (bytes) => {
        transferredBytes += bytes;
        progress();
      });
    }).catch((thrown: unknown) => {
      if (!(thrown instanceof TransientFailure)) throw thrown;
      const remedy = "Run the command again: it goes on where it stopped";
      throw engineUnavailable({ engine, problem: thrown.message, remedy }, thrown);
    });
    if (await matches(path, source.hash, signal)) return { path, transferredBytes };
    await rm(path, { force: true });
    // Bytes of an earlier try may be to blame; a file that came in one piece is what the server has.
    if (before > 0 && round === 0) continue;
    const problem = `${located.url} is not the file that the registry describes: its ${parseHash(source.hash).algorithm} differs`;
    const remedy =
      "Run the command again; if that doesn't help, something on the way changes downloads: try another network or registry";
    throw engineUnavailable({ engine, problem, remedy });
  }
}

async function fetchRest(path: string, download: Download, received: (bytes: number) => void): Promise<void> {
  const { engine, located, http, signal, onProgress } = download;
  const { sizeBytes } = located.source;
  const have = await sizeOf(path);
  onProgress(Math.min(have, sizeBytes));
  if (have === sizeBytes) return;
  if (have > sizeBytes) {
    await rm(path);
    return await fetchRest(path, download, received);
  }
  const headers = {
    accept: "*/*",
    // Compression on the way would count bytes that are not the file's.
    "accept-encoding": "identity",
    ...(have === 0 ? {} : { range: `bytes=${have}-` }),
  };
  const { url, authorization } = located;
  const mirrorHint = "try again later, or use another registry";
  const response = await askServer({ engine, http, url, headers, authorization, mirrorHint, signal }, [200, 206, 416]);
  const start = response.status === 200 ? 0 : response.status === 206 ? rangeStart(response, sizeBytes) : null;
  if (start === null || start > have) {
    await response.discard();
    await rm(path, { force: true });
    throw new TransientFailure(`${url} does not send the rest of the file that it had before`);
  }
  const file = await open(path, start === 0 ? "w" : "r+");
  try {
    await writeBody(file, start, { response, download, received });
  } finally {
    await file.close();
  }
}

/** @returns null when the file at the server isn't the one that was begun. */
function rangeStart(response: HttpResponse, sizeBytes: number): number | null {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.header("content-range") ?? "") ?? [];
  if (start === undefined || (total !== "*" && Number(total) !== sizeBytes)) return null;
  return Number(start);
}

async function writeBody(
  file: FileHandle,
  start: number,
  { response, download, received }: { response: HttpResponse; download: Download; received: (bytes: number) => void },
): Promise<void> {
  const { engine, located, signal, onProgress } = download;
  const { sizeBytes, file: name } = located.source;
  let position = start;
  try {
    for await (const piece of response.body) {
      if (position + piece.byteLength > sizeBytes) {
        const problem = `${located.url} is longer than the ${sizeBytes} bytes of ${basename(name)}`;
        await file.truncate(0);
        throw engineUnavailable({ engine, problem, remedy: "Use another registry: this one has another file" });
      }
      for (let from = 0; from < piece.byteLength; ) {
        const { bytesWritten } = await file.write(piece, from, piece.byteLength - from, position);
        from += bytesWritten;
        position += bytesWritten;
      }
      received(piece.byteLength);
      onProgress(position);
    }
  } catch (thrown) {
    signal.throwIfAborted();
    // undici's errors of a broken connection are TypeErrors; those of the disk are system errors, and final.
    if (!(thrown instanceof TypeError)) throw thrown;
    const problem = `${located.url} broke off after ${position} of ${sizeBytes} bytes (${describeNetworkError(thrown)})`;
    throw new TransientFailure(problem, { cause: thrown });
  }
  if (position < sizeBytes) {
    throw new TransientFailure(`${located.url} ended after ${position} of ${sizeBytes} bytes`);
  }
}

async function matches(path: string, expected: string, signal: AbortSignal): Promise<boolean> {
  const { algorithm, hex } = parseHash(expected);
  const hash = createHash(algorithm);
  try {
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw cause;
  }
  return hash.digest("hex") === hex;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return 0;
    throw cause;
  }
}
