import { pino } from "pino";
import { onTestFinished } from "vitest";
import type { JobService } from "../../coordinator/service/job-service.js";
import type { ModelJudge } from "../../coordinator/service/model-judge.js";
import { type JobServiceOptions, openJobService } from "../../coordinator/service/open-job-service.js";
import { FileStore } from "../../coordinator/store/file-store.js";
import type { FileId } from "../../coordinator/store/object-id.js";
import type { Store } from "../../coordinator/store/open-store.js";
import { openStore } from "../../coordinator/store/open-store.js";
import { fileNotFound } from "../../coordinator/store/store-failure.js";
import type { FileIndex, StoredFile } from "../../coordinator/store/stored-file.js";
import { evaluate } from "../../worker/predict/evaluate.js";
import { MemoryJobStore } from "./memory-job-store.js";
import { ScriptedGround } from "./scripted-ground.js";
import { temporaryDirectory } from "./temporary-directory.js";
import { networkXml } from "./training-data.js";

/** Judges models as the command does, in this process. */
const JUDGE: ModelJudge = { judge: ({ modelDirectory, rows }) => evaluate({ modelDirectory, rows }) };
const LIMITS = { quotaBytes: 1e9, maxFileBytes: 1e8 };

/** One way of keeping what a service needs. */
export interface StoreKind {
  readonly name: string;
  open(directory: string): Promise<Pick<Store, "jobs" | "files"> & AsyncDisposable>;
}

export const STORE_KINDS: readonly StoreKind[] = [
  { name: "libsql", open: (directory) => openStore({ directory, limits: LIMITS }) },
  {
    name: "memory",
    open: async (directory) => {
      const jobs = new MemoryJobStore(Date.now);
      const files = await FileStore.open({ directory, index: new MemoryFileIndex(), limits: LIMITS, now: Date.now });
      return { jobs, files, [Symbol.asyncDispose]: () => jobs[Symbol.asyncDispose]() };
    },
  },
];

/** A service of the running test's own, on workers that the test plays. */
export interface ServicePlace {
  readonly directory: string;
  readonly store: Pick<Store, "jobs" | "files"> & AsyncDisposable;
  readonly ground: ScriptedGround;
  readonly service: JobService;
}

export async function servicePlace(
  kind: StoreKind,
  workers = 1,
  also: Pick<Partial<JobServiceOptions>, "afterWorkerLoss" | "log" | "options"> = {},
): Promise<ServicePlace> {
  const directory = await temporaryDirectory();
  const store = await kind.open(directory);
  const ground = new ScriptedGround(workers);
  const log = pino({ level: "silent" });
  const service = await openJobService({ store, ground, judge: JUDGE, dataDirectory: directory, log, ...also });
  onTestFinished(async () => {
    await service[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });
  return { directory, store, ground, service };
}

/** Another service over the same store, as after the end of the first one. */
export async function reopened({ directory, store }: ServicePlace, workers = 1): Promise<ServicePlace> {
  const ground = new ScriptedGround(workers);
  const log = pino({ level: "silent" });
  const service = await openJobService({ store, ground, judge: JUDGE, dataDirectory: directory, log });
  onTestFinished(() => service[Symbol.asyncDispose]());
  return { directory, store, ground, service };
}

/** 30 rows of two features and three classes. */
export const ROWS = Array.from({ length: 30 }, (_, row) => `${row % 7},${row % 5},${row % 3}`).join("\n");

export async function upload({ store }: Pick<ServicePlace, "store">, name: string, text = ROWS): Promise<StoredFile> {
  const content = (async function* () {
    yield await Promise.resolve(Buffer.from(text));
  })();
  return await store.files.add(content, { name, contentType: "text/plain" });
}

export interface DocumentText {
  readonly hardware?: Readonly<Record<string, number | string>>;
  readonly data?: string;
  readonly parameters?: Readonly<Record<string, string | number>>;
}

/** A document that trains on {@link ROWS}. */
export function documentXml({ hardware = {}, data = "name/rows.txt", parameters = {} }: DocumentText = {}): string {
  const values = Object.entries(hardware).map(([name, value]) => {
    const element = typeof value === "number" ? "valueparameter" : "comboparameter";
    return `<${element} name="${name}">${value}</${element}>`;
  });
  const parallel = `<parallel><hardware><general>${values.join("")}</general></hardware></parallel>`;
  const definition = networkXml({ inputs: 2, hidden: [4], outputs: 3, parameters: { iterations: 3, ...parameters } })
    .replace(/<\?xml.*?\?>/, "")
    .replace("<serial>true</serial>", `<serial>true</serial>${values.length > 0 ? parallel : ""}`)
    .replace("<dataSchemaID></dataSchemaID>", `<dataSchemaID>${data}</dataSchemaID>`);
  return `<vinnsl><description><identifier>d</identifier><metadata><paradigm>classification</paradigm><name>My network</name></metadata></description>${definition}</vinnsl>`;
}

class MemoryFileIndex implements FileIndex {
  readonly #files = new Map<string, StoredFile>();

  add(file: StoredFile): Promise<void> {
    this.#files.set(file.id, file);
    return Promise.resolve();
  }
  get(id: FileId): Promise<StoredFile> {
    const file = this.#files.get(id);
    return file === undefined ? Promise.reject(fileNotFound(id)) : Promise.resolve(file);
  }
  latest(name: string): Promise<StoredFile | null> {
    return Promise.resolve([...this.#files.values()].filter((file) => file.name === name).at(-1) ?? null);
  }
  list(): Promise<{ files: StoredFile[]; next: null }> {
    return Promise.resolve({ files: [...this.#files.values()], next: null });
  }
  async remove(id: FileId): Promise<{ file: StoredFile; namesLeft: number }> {
    const file = await this.get(id);
    this.#files.delete(id);
    return { file, namesLeft: await this.countNames(file.sha256) };
  }
  contents(): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(new Map([...this.#files.values()].map((file) => [file.sha256, file.sizeBytes])));
  }
  owned(): Promise<ReadonlyMap<string, FileId[]>> {
    const owners = new Map<string, FileId[]>();
    for (const { id, owner } of this.#files.values()) {
      if (owner !== null) owners.set(owner, [...(owners.get(owner) ?? []), id]);
    }
    return Promise.resolve(owners);
  }
  countNames(sha256: string): Promise<number> {
    return Promise.resolve([...this.#files.values()].filter((file) => file.sha256 === sha256).length);
  }
}
