import { setTimeout as wait } from "node:timers/promises";
import { parseVinnslXml } from "../../coordinator/vinnsl/object/parse-vinnsl-xml.js";
import { partOf } from "../../coordinator/vinnsl/object/vinnsl-object.js";
import { validateStrict } from "../../coordinator/vinnsl/validate-strict.js";
import type { JobDetail } from "../../shared/api/job-detail.js";
import { type IrisKind, irisDocument } from "./iris-jobs.js";
import { type KeptPromises, type PromisedJob, sha256 } from "./kept-promises.js";
import { type ListedFile, Refusal, type ServeClient } from "./serve-client.js";

/** Why a job may have failed: nothing else has happened to it. */
const INTERRUPTED = "INTERRUPTED";
const CANCELLED = "CANCELLED";
/** How often, and how long, a file may be without an owner while a run is being recorded. */
const LOOKS = 40;
const LOOK_EVERY_MS = 250;

export interface CheckResult {
  /** What was lost, or is half there; nothing of it may be. */
  readonly faults: string[];
  readonly jobs: number;
  readonly files: number;
}

/** Compares a server with what clients were promised; nobody may change anything meanwhile but the server itself. */
export class KillCheck {
  readonly #client: ServeClient;
  readonly #promises: KeptPromises;
  readonly #weights: ReadonlyMap<IrisKind, string>;
  readonly #faults: string[] = [];

  /** @param weights of each kind, by `ringstrasse train` */
  constructor(client: ServeClient, promises: KeptPromises, weights: ReadonlyMap<IrisKind, string>) {
    this.#client = client;
    this.#promises = promises;
    this.#weights = weights;
  }

  /** @param readAgain also reads the files that an earlier check found whole; without, they need only be listed as they were sent */
  async run({ readAgain }: { readonly readAgain: boolean }): Promise<CheckResult> {
    if (readAgain) this.#promises.wholeFiles.clear();
    const statuses = await this.#client.statuses();
    await this.#adopt(statuses);
    const owned = new Set<string>();
    for (const job of this.#promises.jobs.values()) {
      if (job.removed === "maybe") job.removed = statuses.has(job.id) ? "no" : "yes";
      if (job.removed === "yes") {
        if (statuses.has(job.id)) this.#fault(`job ${job.id} was removed and is there`);
        continue;
      }
      if (!statuses.has(job.id)) this.#fault(`job ${job.id} is lost`);
      else await this.#checkJob(job, owned);
    }
    const files = await this.#client.files();
    await this.#checkFiles(files, owned);
    return { faults: this.#faults, jobs: statuses.size, files: files.length };
  }

  /** Jobs whose post was not acknowledged: they may be there, whole. */
  async #adopt(statuses: ReadonlyMap<string, string>): Promise<void> {
    for (const id of statuses.keys()) {
      if (this.#promises.jobs.has(id)) continue;
      const { job } = await this.#client.detail(id);
      if (!this.#promises.maybeTitles.delete(job.name)) {
        this.#fault(`job ${id} (${job.name}) was never posted`);
        continue;
      }
      const kind = await this.#kindOf(id, job.name);
      if (kind === null) this.#fault(`job ${id} has another definition than was posted`);
      else this.#promises.posted(id, kind, job.name);
    }
  }

  async #checkJob(job: PromisedJob, owned: Set<string>): Promise<void> {
    const kind = await this.#kindOf(job.id, job.title);
    const isKept = kind === job.kind || (job.maybe !== null && kind === job.maybe.kind);
    if (kind === null || !isKept) this.#fault(`the document of job ${job.id} is not the one that was acknowledged`);
    else job.kind = kind;
    job.maybe = null;
    const detail = await this.#client.detail(job.id);
    for (const { href } of detail.files) owned.add(href.split("/").at(-1) ?? "");
    const { status } = detail.job;
    if (!job.legal.has(status)) {
      this.#fault(`job ${job.id} is ${status}; acknowledged: ${[...job.legal].join(" or ")}`);
    }
    if (status === "ERROR") this.#checkReason(job, detail);
    const hasEnded = status === "ERROR" || status === "FINISHED";
    if (hasEnded && !job.endIsTold) await this.#checkLastEvent(job.id, detail);
    job.endIsTold = hasEnded;
    if (status === "FINISHED") await this.#checkResult(job, detail);
    else if (job.weightsSha256 !== null) this.#fault(`job ${job.id} was FINISHED and is ${status}`);
    // Who has seen a status that does not change by itself was promised it.
    if (status === "CREATED" || status === "FINISHED" || status === "ERROR") job.legal = new Set([status]);
  }

  /** Whoever follows the job hears how it ended, also when it ended just before the server did. */
  async #checkLastEvent(id: string, { job: { status }, lastEventId }: JobDetail): Promise<void> {
    const last = await this.#client.event(id, lastEventId - 1);
    const isTold = last.event === "status" && last.status === status;
    if (!isTold) this.#fault(`job ${id} is ${status}, and the last that its followers hear is ${JSON.stringify(last)}`);
  }

  #checkReason(job: PromisedJob, { failure }: JobDetail): void {
    const code = failure?.code ?? "none";
    if (code === INTERRUPTED || (code === CANCELLED && job.cancelAsked)) return;
    this.#fault(`job ${job.id} failed for the reason ${JSON.stringify(failure)}`);
  }

  async #checkResult(job: PromisedJob, { result, files }: JobDetail): Promise<void> {
    const { id } = job;
    if (result === null) return this.#fault(`job ${id} is FINISHED without a result`);
    if (result.weightsSha256 !== this.#weights.get(job.kind)) {
      this.#fault(`job ${id} has the weights ${result.weightsSha256}, its kind has ${this.#weights.get(job.kind)}`);
    }
    const seenBefore = job.weightsSha256 === result.weightsSha256;
    job.weightsSha256 = result.weightsSha256;
    if (seenBefore) return;
    const weights = await this.#client.bytes(`/vinnsl/${id}/model/weights.bin`);
    if (sha256(weights) !== result.weightsSha256) this.#fault(`weights.bin of job ${id} has other weights`);
    JSON.parse(Buffer.from(await this.#client.bytes(`/vinnsl/${id}/model/model.json`)).toString());
    const object = parseVinnslXml(await this.#client.bytes(`/vinnsl/${id}`, "application/xml"));
    for (const part of ["trainingresult", "result"] as const) {
      if (partOf(object, part) === undefined) this.#fault(`job ${id} is FINISHED without its ${part}`);
    }
    for (const { name, href } of files.filter((file) => file.name.endsWith(".xml"))) {
      const [finding] = await validateStrict(await this.#client.bytes(href), null);
      if (finding !== undefined) this.#fault(`${name} is not valid: ${JSON.stringify(finding)}`);
    }
  }

  /** Which kind the job's definition is of; null: of none. */
  async #kindOf(id: string, title: string): Promise<IrisKind | null> {
    const definition = definitionOf(await this.#client.bytes(`/vinnsl/${id}`, "application/xml"));
    for (const kind of this.#weights.keys()) {
      if (definition === definitionOf(Buffer.from(await irisDocument(kind, title)))) return kind;
    }
    return null;
  }

  async #checkFiles(files: readonly ListedFile[], owned: ReadonlySet<string>): Promise<void> {
    const ids = new Set(files.map(({ id }) => id));
    for (const id of this.#promises.files.keys()) if (!ids.has(id)) this.#fault(`file ${id} is lost`);
    const unknown: ListedFile[] = [];
    for (const file of files) {
      const { id, name, sha256: listed, sizeBytes } = file;
      if (!(await this.#isWhole(file))) this.#fault(`file ${id} (${name}) is not whole`);
      const promised = this.#promises.files.get(id);
      if (promised !== undefined) {
        if (promised.sha256 !== listed) this.#fault(`file ${id} (${name}) has another content than was sent`);
      } else if (this.#promises.maybeFiles.delete(listed)) {
        this.#promises.files.set(id, { sha256: listed, sizeBytes });
      } else if (!owned.has(id)) {
        unknown.push(file);
      }
    }
    await this.#checkUnknown(unknown);
  }

  async #isWhole({ id, sha256: listed, sizeBytes }: ListedFile): Promise<boolean> {
    if (this.#promises.wholeFiles.has(id)) return true;
    try {
      const bytes = await this.#client.bytes(`/storage/files/${id}`);
      const isWhole = sha256(bytes) === listed && bytes.byteLength === sizeBytes;
      if (isWhole) this.#promises.wholeFiles.add(id);
      return isWhole;
    } catch (thrown) {
      // A job that has finished in the meantime lets go of the files of its last run.
      const isGone = thrown instanceof Refusal && thrown.status === 404;
      if (isGone && !this.#promises.files.has(id)) return true;
      throw thrown;
    }
  }

  /** They may be of a run that is just being recorded: then they soon have an owner, or are gone. */
  async #checkUnknown(unknown: readonly ListedFile[]): Promise<void> {
    let left = unknown;
    for (let look = 0; left.length > 0 && look < LOOKS; look++) {
      await wait(LOOK_EVERY_MS);
      const ids = new Set((await this.#client.files()).map(({ id }) => id));
      const owned = new Set<string>();
      for (const id of (await this.#client.statuses()).keys()) {
        for (const { href } of (await this.#client.detail(id)).files) owned.add(href.split("/").at(-1) ?? "");
      }
      left = left.filter(({ id }) => ids.has(id) && !owned.has(id));
    }
    for (const { id, name } of left) this.#fault(`file ${id} (${name}) belongs to nobody`);
  }

  #fault(what: string): void {
    this.#faults.push(what);
  }
}

/** As text, without what formatting it differently changes, and without its data, which `addfile` changes. */
function definitionOf(xml: Uint8Array): string {
  const content = partOf(parseVinnslXml(xml), "definition")?.content ?? [];
  const own = content.filter((piece) => typeof piece === "string" || piece.name !== "data");
  return JSON.stringify(own).replaceAll(/(\\n|\s)+/g, " ");
}
