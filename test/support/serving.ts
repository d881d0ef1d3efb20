import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type JobEvent, JobEventSchema } from "../../shared/api/job-event.js";
import { type CommandSurroundings, type RunningCommand, startCommand } from "./run-command.js";
import { temporaryDirectory } from "./temporary-directory.js";

/** A running `ringstrasse serve`, on ports of its own. */
export interface Serving {
  readonly command: RunningCommand;
  readonly url: string;
  readonly controlEndpoint: string;
  readonly workerToken: string | null;
  readonly dataDirectory: string;
}

export interface ServingOptions extends CommandSurroundings {
  readonly workers: number;
  readonly args?: readonly string[];
  /** Default: a new one. */
  readonly dataDirectory?: string;
}

/** Starts a server; it is killed when the test finishes, should it still run. */
export async function startServing({ workers, args = [], ...options }: ServingOptions): Promise<Serving> {
  const dataDirectory = options.dataDirectory ?? (await temporaryDirectory());
  // No workers join where jobs are batch jobs.
  const listens = args.includes("--launcher=slurm") ? ["--port=0"] : ["--port=0", "--control-port=0"];
  const ports = listens.filter((port) => !args.some((arg) => arg.startsWith(port.slice(0, -1))));
  const command = startCommand(
    ["serve", `--workers=${workers}`, `--data-dir=${dataDirectory}`, "--json", ...ports, ...args],
    options,
  );
  await command.until((stdout) => stdout.includes("\n"));
  const { url, controlEndpoint, workerToken } = JSON.parse(command.stdout());
  return { command, url, controlEndpoint, workerToken, dataDirectory };
}

/** Asks to end in good order. @returns the exit code */
export async function stopServing({ command }: Serving): Promise<number | null> {
  command.child.kill("SIGTERM");
  return (await command.ended).exitCode;
}

export interface Request {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: string | Uint8Array | FormData;
  readonly type?: string;
  readonly accept?: string;
  readonly token?: string;
}

export function ask({ url }: Pick<Serving, "url">, path: string, request: Request = {}): Promise<Response> {
  const headers: Record<string, string> = {};
  if (request.type !== undefined) headers["content-type"] = request.type;
  if (request.accept !== undefined) headers["accept"] = request.accept;
  if (request.token !== undefined) headers["authorization"] = `Bearer ${request.token}`;
  const body = request.body === undefined ? {} : { body: request.body as NonNullable<RequestInit["body"]> };
  return fetch(`${url}${path}`, { method: request.method ?? "GET", headers, ...body });
}

/** The JSON of an answer that must be good. @throws with what the server said instead */
export async function askJson<T = Record<string, unknown>>(
  serving: Pick<Serving, "url">,
  path: string,
  request: Request = {},
): Promise<T> {
  const answer = await ask(serving, path, request);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${request.method ?? "GET"} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Uploads a file as the stack's clients do. @returns its id */
export async function upload(serving: Pick<Serving, "url">, path: string, name = basename(path)): Promise<string> {
  const form = new FormData();
  form.append("file", new Blob([await readFile(path)]), name);
  return (await askJson<{ file: string }>(serving, "/storage/upload", { method: "POST", body: form })).file;
}

/** Posts a document. @returns the job's id */
export async function post(serving: Pick<Serving, "url">, xml: string): Promise<string> {
  const answer = await ask(serving, "/vinnsl", { method: "POST", body: xml, type: "application/xml" });
  if (answer.status !== 201) throw new Error(`POST /vinnsl: ${answer.status} ${await answer.text()}`);
  return basename(answer.headers.get("location") ?? "");
}

/** Reads a job's events from number `after` on until `isLast` says so of one. */
export async function eventsUntil(
  { url, token }: Pick<Serving, "url"> & Pick<Request, "token">,
  id: string,
  isLast: (event: JobEvent) => boolean,
  after = 0,
): Promise<JobEvent[]> {
  const abort = new AbortController();
  const answer = await fetch(`${url}/vinnsl/${id}/events?after=${after}`, {
    signal: abort.signal,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  if (!answer.ok || answer.body === null) throw new Error(`events: ${answer.status} ${await answer.text()}`);
  const events: JobEvent[] = [];
  let text = "";
  try {
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: ?(.*)$/m.exec(block)?.[1];
        if (data === undefined) continue;
        const event = JobEventSchema.parse(JSON.parse(data));
        events.push(event);
        if (isLast(event)) return events;
      }
    }
  } finally {
    abort.abort();
  }
  throw new Error(`the stream of ${id} ended early: ${JSON.stringify(events.slice(-3))}`);
}

/** Whether a job's run is over by this event. */
export function isEnd(event: JobEvent): boolean {
  return event.event === "status" && (event.status === "FINISHED" || event.status === "ERROR");
}

export function exampleXml(root: string, name: string): Promise<string> {
  return readFile(join(root, "examples", name, `${name}.xml`), "utf8");
}
