import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { validate } from "../../coordinator/cli/validate-command.js";
import { objectOf, readObject } from "../../coordinator/service/check-object.js";
import type { NetworkDefinition } from "../../coordinator/vinnsl/network-definition.js";
import { ErrorResponseSchema } from "../../shared/api/error-response.js";
import { exitCodeOf, FailureSchema, RingstrasseError } from "../../shared/failure.js";
import { type MutatedDocument, mutatedDocuments } from "../support/mutate-document.js";
import { sourceDocuments } from "../support/published-like-documents.js";
import { ROOT } from "../support/run-command.js";
import {
  ask,
  askJson,
  eventsUntil,
  isEnd,
  type Serving,
  startServing,
  stopServing,
  upload,
} from "../support/serving.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const DOCUMENTS = { count: 10_000, seed: 4 };
const TRAINED = 50;
/** Posted at once. */
const LANES = 6;
const MIB = 2 ** 20;

describe("10,000 mutated documents", () => {
  it("validate: sound, or a refusal with code, problem and place; nothing else", async () => {
    const file = join(await temporaryDirectory(), "mutated.xml");
    const seen = { sound: 0, refused: 0, placed: 0 };
    for (const { format, bytes, story } of mutatedDocuments(await sourceDocuments(), DOCUMENTS)) {
      if (format === "json") continue;
      await writeFile(file, bytes);
      const { text, exitCode } = await validate(file, { json: true, summary: true });
      const { sound, failure } = JSON.parse(text) as { readonly sound: boolean; readonly failure: unknown };
      if (sound) {
        expect({ story, exitCode, failure }).toEqual({ story, exitCode: 0, failure: null });
        seen.sound++;
        continue;
      }
      const told = FailureSchema.parse(failure);
      expect(["DOCUMENT_INVALID", "DOCUMENT_UNSUPPORTED", "CHOICE_UNSUPPORTED"], story).toContain(told.code);
      expect(exitCode, story).toBe(exitCodeOf(told.code));
      seen.refused++;
      if (!("elementPath" in told && "line" in told)) continue;
      expect(told.line, `${story}: ${JSON.stringify(told)}`).toBeGreaterThan(0);
      if (told.elementPath !== null) seen.placed++;
    }
    expect(seen.sound + seen.refused).toBeGreaterThan(7_000);
    expect(Math.min(seen.sound, seen.placed)).toBeGreaterThan(1_200);
  });

  it("POST /vinnsl: 201 or 400 with code, message and element path; the server stays healthy, 50 train", async () => {
    const serving = await startServing({ workers: 2 });
    const sources = await sourceDocuments();
    const agent = new Agent({ keepAlive: true, maxSockets: LANES });
    const accepted: Accepted[] = [];
    const seen = { refused: 0, placed: 0 };
    const documents = mutatedDocuments(sources, DOCUMENTS);
    let residentBytes = 0;
    let number = 0;
    const lane = async () => {
      for (const document of documents) {
        // What it takes to hold so many jobs is there by then.
        if (++number === DOCUMENTS.count / 2) residentBytes = await residentBytesOf(serving);
        const answer = await postDocument(serving, agent, document);
        checkAnswer(answer, document);
        if (answer.status === 201) accepted.push({ ...document, id: answer.id });
        else seen.refused++;
        if (answer.path !== null) seen.placed++;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    agent.destroy();
    expect(accepted.length + seen.refused).toBe(DOCUMENTS.count);
    expect(Math.min(accepted.length, seen.placed)).toBeGreaterThan(1_500);
    expect((await residentBytesOf(serving)) - residentBytes).toBeLessThan(100 * MIB);
    expect(await askJson(serving, "/health")).toMatchObject({ status: "ok", workers: 2 });
    expect(Object.keys(await askJson(serving, "/status"))).toHaveLength(accepted.length);

    await trainSome(serving, accepted);
    expect(await askJson(serving, "/health")).toMatchObject({ status: "ok", workers: 2, queued: 0 });
    expect(await stopServing(serving)).toBe(0);
  });
});

interface Accepted extends MutatedDocument {
  readonly id: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly id: string;
  /** Of the element that a refusal names. */
  readonly path: string | null;
}

function postDocument({ url }: Serving, agent: Agent, { format, bytes }: MutatedDocument): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": `application/${format}`, "content-length": bytes.length };
    const sent = request(`${url}/vinnsl`, { method: "POST", agent, headers }, (received) => {
      const pieces: Buffer[] = [];
      received.on("data", (piece: Buffer) => pieces.push(piece)).once("error", reject);
      received.once("end", () => {
        const { statusCode: status = 0, headers: answered } = received;
        const text = Buffer.concat(pieces).toString();
        const path = status === 400 ? ErrorResponseSchema.parse(JSON.parse(text)).error.path : null;
        resolve({ status, text, id: answered.location?.split("/").at(-1) ?? "", path });
      });
    });
    sent.once("error", reject).end(bytes);
  });
}

/** The server says what reading the document here says; a refusal without an element is one of what is no document at all. */
function checkAnswer({ status, text, id }: Answer, document: MutatedDocument): void {
  const { story } = document;
  const refusal = refusalOf(document);
  if (refusal === null) {
    expect({ status, text, story }).toEqual({ status: 201, text: "", story });
    expect(id, story).toMatch(/^[0-9a-f]{24}$/);
    return;
  }
  expect({ status, text, story }).toMatchObject({ status: 400, story });
  const { code, message, path, line } = ErrorResponseSchema.parse(JSON.parse(text)).error;
  expect({ code, path, line, story }).toEqual({
    code: refusal.code,
    path: refusal.elementPath,
    line: refusal.line,
    story,
  });
  expect(message, story).toMatch(/\. \S/);
  if (path !== null) expect(path, story).toMatch(/^\//);
  else expect(message, story).toMatch(WITHOUT_ELEMENT);
}

/** What is wrong where there is no element that a message could name. */
const WITHOUT_ELEMENT =
  /not XML|no element|not UTF-8|not JSON|is empty|outside the root|declares the encoding|declarations \(<!DOCTYPE|processing instructions|ends too early|not allowed in XML|control character|never closed|unknown escape|the XML parser refuses/;

function refusalOf(document: MutatedDocument) {
  try {
    readObject(objectOf(document), {}, document);
    return null;
  } catch (thrown) {
    if (!(thrown instanceof RingstrasseError)) throw new Error(document.story, { cause: thrown });
    const { failure } = thrown;
    const isPlaced = failure.code === "DOCUMENT_INVALID" || failure.code === "DOCUMENT_UNSUPPORTED";
    if (!isPlaced) throw new Error(`${document.story}: ${JSON.stringify(failure)}`, { cause: thrown });
    return failure;
  }
}

async function residentBytesOf(serving: Serving): Promise<number> {
  const figures = await (await ask(serving, "/metrics")).text();
  return Number(/^\S*process_resident_memory_bytes\S* (\S+)$/m.exec(figures)?.[1]);
}

/** Accepted documents with the irises as their data, until enough have trained; the others don't fit the data, and say so. */
async function trainSome(serving: Serving, accepted: readonly Accepted[]): Promise<void> {
  const fileId = await upload(serving, join(ROOT, "examples/iris/iris.csv"));
  let trained = 0;
  for (const document of accepted.filter(isSmall)) {
    if (trained === TRAINED) break;
    const { id, story } = document;
    const added = await ask(serving, `/vinnsl/${id}/addfile?fileId=${fileId}`, { method: "PUT" });
    expect({ status: added.status, text: await added.text(), story }).toMatchObject({ status: 200 });
    await askJson(serving, `/worker/queue/${id}`, { method: "PUT" });
    const end = (await eventsUntil(serving, id, isEnd)).at(-1);
    if (end?.event === "status" && end.status === "FINISHED") trained++;
    else
      expect({ end, story }).toMatchObject({
        end: { status: "ERROR", statusReason: { code: expect.stringMatching(/^DATA_/) } },
      });
  }
  expect(trained).toBe(TRAINED);
}

/** Small enough to train in a moment, and likely to fit the irises. */
function isSmall(document: MutatedDocument): boolean {
  const job = readObject(objectOf(document), {}, document);
  if (job === null) return false;
  const { input, hidden, parameters }: NetworkDefinition = job.definition;
  const isShort = parameters.epochs !== undefined && parameters.epochs <= 20;
  return isShort && input.size === 4 && hidden.every(({ size }) => size <= 1000);
}
