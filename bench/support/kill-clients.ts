import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { IRIS_DATA, IRIS_NAME, type IrisKind, irisDocument } from "./iris-jobs.js";
import { type KeptPromises, type PromisedJob, sha256 } from "./kept-promises.js";
import type { SeededChoice } from "./seeded-choice.js";
import { Refusal, type ServeClient } from "./serve-client.js";

export type ClientPhase = "upload" | "post" | "change";

export interface KillClientsOptions {
  readonly promises: KeptPromises;
  readonly kinds: readonly IrisKind[];
  readonly random: SeededChoice;
}

const LARGEST_UPLOAD_BYTES = 3_000_000;
const PIECE_PAUSE_MS = 4;
/** More jobs than this would only make every check longer. */
const MOST_JOBS = 60;
const MOST_FILES = 60;

/** Clients that do what clients do, as quickly as the server lets them, and note what they were promised. */
export class KillClients {
  readonly #options: KillClientsOptions;
  #titles = 0;
  /** Requests on their way, by what they are. */
  readonly #underWay = { upload: 0, post: 0, change: 0 };
  /** Uploads of which a part has been sent. */
  #inTheMiddle = 0;
  #irisFile: string | null = null;
  /** False: no file is sent any more. */
  sendsFiles = true;

  constructor(options: KillClientsOptions) {
    this.#options = options;
  }

  /** What is going on just now. */
  phases(): ClientPhase[] {
    const { upload: _, ...others } = this.#underWay;
    const phases = (Object.keys(others) as (keyof typeof others)[]).filter((phase) => others[phase] > 0);
    return this.#inTheMiddle > 0 ? ["upload", ...phases] : phases;
  }

  /** Gives the server the data of all jobs, once. */
  async begin(client: ServeClient): Promise<void> {
    const bytes = await readFile(IRIS_DATA);
    this.#irisFile = await client.upload({ name: IRIS_NAME, bytes });
    this.#options.promises.files.set(this.#irisFile, { sha256: sha256(bytes), sizeBytes: bytes.byteLength });
  }

  /** Works until the signal aborts or the server goes. @throws what the server refuses though it should not */
  async work(client: ServeClient, signal: AbortSignal): Promise<void> {
    const { random } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#act(client, random.whole(0, 9));
      } catch (thrown) {
        // Killed: whatever was asked for may have happened or not.
        if (thrown instanceof TypeError) return;
        // Between the choice of a job and the request its status may have moved on.
        if (!(thrown instanceof Refusal) || thrown.status !== 409) throw thrown;
      }
      await wait(random.whole(0, 20));
    }
  }

  async #act(client: ServeClient, choice: number): Promise<void> {
    const { promises, random } = this.#options;
    if (choice < 2 && this.sendsFiles && promises.files.size < MOST_FILES) return await this.#upload(client);
    if (choice < 4 && promises.jobs.size < MOST_JOBS) return await this.#post(client);
    const free = promises.free();
    if (free.length === 0) return;
    const job = random.of(free);
    job.busy = true;
    try {
      await this.#underWayAs("change", () => this.#change(client, job, choice));
    } finally {
      job.busy = false;
    }
  }

  async #upload(client: ServeClient): Promise<void> {
    const { promises, random } = this.#options;
    const bytes = random.bytes(random.whole(1, LARGEST_UPLOAD_BYTES));
    const hash = sha256(bytes);
    promises.maybeFiles.add(hash);
    let begun = false;
    const onPiece = () => {
      if (!begun) this.#inTheMiddle++;
      begun = true;
    };
    try {
      const file = { name: `noise-${hash.slice(0, 8)}`, bytes, pauseMs: PIECE_PAUSE_MS, onPiece };
      const id = await this.#underWayAs("upload", () => client.upload(file));
      promises.files.set(id, { sha256: hash, sizeBytes: bytes.byteLength });
      promises.maybeFiles.delete(hash);
    } finally {
      if (begun) this.#inTheMiddle--;
    }
  }

  async #post(client: ServeClient): Promise<void> {
    const { promises, random, kinds } = this.#options;
    const kind = random.of(kinds);
    const title = `soak ${this.#titles++}`;
    promises.maybeTitles.add(title);
    const xml = await irisDocument(kind, title);
    const id = await this.#underWayAs("post", () => client.post(xml));
    promises.posted(id, kind, title);
    promises.maybeTitles.delete(title);
  }

  async #change(client: ServeClient, job: PromisedJob, choice: number): Promise<void> {
    const { promises, random, kinds } = this.#options;
    const status = (await client.detail(job.id)).job.status;
    if (status === "CREATED" && choice === 4) return await this.#redefine(client, job, random.of(kinds));
    if (status === "CREATED" && choice === 5) {
      await client.tell("PUT", `/vinnsl/${job.id}/addfile?fileId=${this.#irisFile}`);
      return;
    }
    if (status === "QUEUED" || status === "INPROGRESS") {
      if (choice !== 9) return;
      const acknowledged = promises.cancelling(job);
      await client.tell("POST", `/vinnsl/${job.id}/cancel`);
      return acknowledged();
    }
    if (status === "ERROR" && choice === 4) return await this.#remove(client, job);
    if (status === "FINISHED" && choice < 8) return;
    const acknowledged = promises.queueing(job);
    const way = status === "CREATED" ? "train" : "retrain";
    if (random.next() < 0.5) await client.tell("POST", `/vinnsl/${job.id}/${way}`);
    else await client.tell("PUT", `/worker/queue/${job.id}`);
    acknowledged();
  }

  async #redefine(client: ServeClient, job: PromisedJob, kind: IrisKind): Promise<void> {
    job.maybe = { kind };
    const xml = await irisDocument(kind, job.title);
    const definition = /<definition>[\s\S]*<\/definition>/.exec(xml)?.[0] ?? "";
    await client.tell("PUT", `/vinnsl/${job.id}/definition`, { body: definition, type: "application/xml" });
    job.kind = kind;
    job.maybe = null;
  }

  async #remove(client: ServeClient, job: PromisedJob): Promise<void> {
    job.removed = "maybe";
    await client.tell("DELETE", `/vinnsl/${job.id}`);
    job.removed = "yes";
  }

  async #underWayAs<Result>(phase: ClientPhase, work: () => Promise<Result>): Promise<Result> {
    this.#underWay[phase]++;
    try {
      return await work();
    } finally {
      this.#underWay[phase]--;
    }
  }
}
