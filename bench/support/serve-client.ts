import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { type Cluster, ClusterSchema } from "../../shared/api/cluster.js";
import { type JobDetail, JobDetailSchema } from "../../shared/api/job-detail.js";
import { type JobEvent, JobEventSchema } from "../../shared/api/job-event.js";

const FilesPageSchema = z.object({
  metadata: z.array(z.object({ id: z.string(), name: z.string(), sha256: z.string(), sizeBytes: z.number() })),
  next: z.string().nullable(),
});
export type ListedFile = z.infer<typeof FilesPageSchema>["metadata"][number];

interface Sent {
  readonly body?: string | ReadableStream;
  readonly type?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

const PIECE_BYTES = 64 * 1024;
const BOUNDARY = "boundary-of-the-soak";

/** What a server answered when it should have done as it was told. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A client of the REST interface. Rejects with a {@link Refusal} when the server refuses, with a TypeError when it is not there. */
export class ServeClient {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Sends a file in pieces, `pauseMs` between them. @returns its id */
  async upload(file: { name: string; bytes: Uint8Array; pauseMs?: number; onPiece?: () => void }): Promise<string> {
    const body = ReadableStream.from(multipart(file)) as ReadableStream;
    const answer = await this.#send("POST", "/storage/upload", {
      body,
      type: `multipart/form-data; boundary=${BOUNDARY}`,
    });
    return ((await answer.json()) as { file: string }).file;
  }

  /** @returns the job's id */
  async post(xml: string): Promise<string> {
    const answer = await this.#send("POST", "/vinnsl", { body: xml, type: "application/xml" });
    await answer.arrayBuffer();
    const id = answer.headers.get("location")?.split("/").at(-1);
    if (id === undefined) throw new Error("a job was posted and no location came back");
    return id;
  }

  /** A request whose answer is of no interest. */
  async tell(method: "POST" | "PUT" | "DELETE", path: string, body?: { body: string; type: string }): Promise<void> {
    await (await this.#send(method, path, body)).arrayBuffer();
  }

  async statuses(): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries((await this.json("/status")) as Record<string, string>));
  }

  async detail(id: string): Promise<JobDetail> {
    return JobDetailSchema.parse(await this.json(`/cluster/jobs/${id}`));
  }

  async cluster(): Promise<Cluster> {
    return ClusterSchema.parse(await this.json("/cluster"));
  }

  async files(): Promise<readonly ListedFile[]> {
    const files: ListedFile[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query = cursor === "" ? "" : `&cursor=${cursor}`;
      const page = FilesPageSchema.parse(await this.json(`/storage?limit=1000${query}`));
      files.push(...page.metadata);
      cursor = page.next;
    }
    return files;
  }

  /** The first of a job's events after number `after` that is wanted, once it has come. */
  async event(id: string, after: number, isWanted: (event: JobEvent) => boolean = () => true): Promise<JobEvent> {
    const end = new AbortController();
    const answer = await this.#send("GET", `/vinnsl/${id}/events?after=${after}`, { signal: end.signal });
    let text = "";
    try {
      for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const blocks = (text + piece).split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) {
          const data = /^data: ?(.*)$/m.exec(block)?.[1];
          const event = data === undefined ? null : JobEventSchema.parse(JSON.parse(data));
          if (event !== null && isWanted(event)) return event;
        }
      }
    } finally {
      end.abort();
    }
    throw new Error(`the events of job ${id} have ended, and what was waited for has not come`);
  }

  async json(path: string): Promise<unknown> {
    return await (await this.#send("GET", path)).json();
  }

  async bytes(path: string, accept?: string): Promise<Uint8Array> {
    const answer = await this.#send("GET", path, accept === undefined ? {} : { accept });
    return new Uint8Array(await answer.arrayBuffer());
  }

  async #send(method: string, path: string, { body, type, accept, signal }: Sent = {}): Promise<Response> {
    const headers = new Headers({ authorization: `Bearer ${this.#token}` });
    if (type !== undefined) headers.set("content-type", type);
    if (accept !== undefined) headers.set("accept", accept);
    const init: RequestInit = { method, headers, body: body ?? null, duplex: "half", signal: signal ?? null };
    const answer = await fetch(`${this.#url}${path}`, init);
    if (answer.ok) return answer;
    throw new Refusal(answer.status, `${method} ${path}: ${answer.status} ${await answer.text()}`);
  }
}

async function* multipart(file: {
  name: string;
  bytes: Uint8Array;
  pauseMs?: number;
  onPiece?: () => void;
}): AsyncGenerator<Uint8Array, void, void> {
  const head = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="${file.name}"\r\n\r\n`;
  yield Buffer.from(head);
  for (let from = 0; from < file.bytes.byteLength; from += PIECE_BYTES) {
    yield file.bytes.subarray(from, from + PIECE_BYTES);
    file.onPiece?.();
    if (file.pauseMs !== undefined) await wait(file.pauseMs);
  }
  yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
}
