import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { TrainOptions } from "../cli/train-options.js";
import { describeStepSettings } from "../job/describe-step-settings.js";
import type { Job } from "../store/job-record.js";
import type { JobStore, VersionedChange } from "../store/job-store.js";
import { toDl4j } from "../vinnsl/dl4j/to-dl4j.js";
import { readJson } from "../vinnsl/object/read-json.js";
import {
  PART_OF_ROUTE,
  type DocumentBody as PartBody,
  type PartRoute,
  replacePart,
} from "../vinnsl/object/replace-part.js";
import { type VinnslObject, withIdentifier } from "../vinnsl/object/vinnsl-object.js";
import { attachResults, type ResultDocument } from "../vinnsl/results/result-documents.js";
import {
  decodeObject,
  encodeObject,
  objectOf,
  readObject,
  readTrainable,
  type ServiceJob,
  titleOf,
} from "./check-object.js";
import type { JobObject, Submission } from "./job-service.js";

/** Jobs whose documents are read at once while all are listed. */
const OBJECTS_AT_ONCE = 20;
/** Changes of one document that may come in between before one gives up. */
const CHANGE_ATTEMPTS = 100;

/** The objects of jobs: read, checked, changed, kept. */
export class JobDocuments {
  readonly #store: JobStore;
  readonly #options: TrainOptions;

  /** `options` rank over documents. */
  constructor(store: JobStore, options: TrainOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** As `JobService.submit`. */
  async submit({ priority, ...body }: Submission): Promise<Job> {
    const object = objectOf(body);
    readObject(object, this.#options, body);
    const xml = body.format === "xml" ? new TextDecoder("utf-8", { fatal: true }).decode(body.bytes) : null;
    const document = { json: encodeObject(object), xml };
    return await this.#store.create({
      document,
      title: titleOf(object),
      ...(priority === undefined ? {} : { priority }),
    });
  }

  async object(id: JobId): Promise<JobObject> {
    return objectOfJob(await this.#store.get(id));
  }

  /** What is to be trained, checked as at its submission. @throws RingstrasseError DOCUMENT_INVALID, … */
  async trainable(id: JobId): Promise<ServiceJob> {
    return readTrainable((await this.object(id)).object, this.#options);
  }

  /** As `JobService.objects`. */
  async *objects(): AsyncGenerator<JobObject, void, void> {
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<JobStore["list"]>> = await this.#store.list({ limit: OBJECTS_AT_ONCE, cursor });
      for (const { id } of page.jobs) {
        const found = await this.#unlessGone(id);
        if (found !== null) yield found;
      }
      cursor = page.next;
    } while (cursor !== null);
  }

  /** The object with another part; a definition is checked. */
  replacePart(id: JobId, route: PartRoute, body: PartBody): Promise<JobObject> {
    return this.change(id, (object) => {
      const changed = replacePart(object, route, body);
      if (PART_OF_ROUTE[route] === "definition") {
        // First as it came: then errors can name the line.
        if (body.format === "xml") readObject(objectOf(body), this.#options, body);
        readObject(changed, this.#options);
      }
      return changed;
    });
  }

  /** The change that gives the object a run's documents; whoever asks for it keeps others from changing the object meanwhile. */
  async withResults(id: JobId, documents: readonly ResultDocument[]): Promise<VersionedChange> {
    const { job, object } = await this.object(id);
    return changeOf(job, attachResults(object, documents));
  }

  /** Stores what `change`, which may be asked again, makes of the latest version. */
  async change(id: JobId, change: (object: VinnslObject) => VinnslObject): Promise<JobObject> {
    for (let attempt = 1; ; attempt++) {
      const { job, object } = await this.object(id);
      const changed = changeOf(job, change(object));
      try {
        return objectOfJob(await this.#store.replaceDocument(id, changed.expectedVersion, changed));
      } catch (thrown) {
        const isConflict = thrown instanceof RingstrasseError && thrown.failure.code === "CONFLICT";
        if (!isConflict || attempt === CHANGE_ATTEMPTS) throw thrown;
      }
    }
  }

  /** As `JobService.dl4j`. */
  async dl4j(id: JobId): Promise<{ readonly text: string; readonly differences: readonly string[] }> {
    const { job, object } = await this.object(id);
    if (job.dl4j !== null) return { text: job.dl4j, differences: [] };
    const { model, optimizer, seed, step } = readTrainable(object, this.#options).settings;
    const network = { model, optimizer, seed: seed.value, stepRules: describeStepSettings(step) };
    const { configuration, differences } = toDl4j(network);
    return { text: JSON.stringify(configuration, null, 2), differences };
  }

  /** As `JobService.replaceDl4j`. */
  async replaceDl4j(id: JobId, bytes: Uint8Array): Promise<void> {
    const node = readJson(bytes);
    if (node.kind !== "object") {
      const place = { file: null, line: 1, column: 1, elementPath: null };
      const problem = `a DL4J configuration is an object, and this is of kind ${node.kind}`;
      throw new RingstrasseError({ code: "DOCUMENT_INVALID", ...place, problem, remedy: "Send an object: {…}" });
    }
    await this.#store.replaceDl4j(id, new TextDecoder().decode(bytes));
  }

  async #unlessGone(id: JobId): Promise<JobObject | null> {
    try {
      return await this.object(id);
    } catch (thrown) {
      if (thrown instanceof RingstrasseError && thrown.failure.code === "NOT_FOUND") return null;
      throw thrown;
    }
  }
}

function changeOf(job: Job, object: VinnslObject): VersionedChange {
  const json = encodeObject(object);
  // What is kept must be readable again, whatever limits there are on the way.
  decodeObject(json);
  const document = { json, xml: job.document.xml };
  return { document, title: titleOf(object), expectedVersion: job.version };
}

/** The id is the job's, whatever the document called itself. */
function objectOfJob(job: Job): JobObject {
  return { job, object: withIdentifier(decodeObject(job.document.json), job.id) };
}
