import { labelsCandidates } from "../../shared/data/labelled-images.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { ReadJob } from "../job/plan-run.js";
import type { FileStore } from "../store/file-store.js";
import { FileIdSchema } from "../store/object-id.js";
import type { StoredFile } from "../store/stored-file.js";
import { filesOf } from "../vinnsl/object/apply-file.js";
import { type LendingPlace, lendFiles } from "./lend-files.js";

/** The stored files that a job trains on. */
export interface JobFiles {
  readonly data: StoredFile;
  /** Of IDX images; null: the data is no images, or its labels aren't stored. */
  readonly labels: StoredFile | null;
}

/** Paths that lead to a job's stored files under the names that they were given. */
export interface LentJobFiles {
  readonly dataPath: string;
  readonly labelsPath: string | null;
}

const ELEMENT_PATHS = {
  data: "/vinnsl/data/data/file",
  labels: "/vinnsl/data/data/labels",
  schema: "/vinnsl/definition/data/dataSchemaID",
} as const;

/**
 * The files that `addfile` gave the object, else the one that its `dataSchemaID` names: `name/iris.txt` or `iris.txt` the latest of
 * that name, or a file's id. Labels that nobody gave are the latest of MNIST's name for them.
 * @throws RingstrasseError DATA_MISMATCH naming the element
 */
export async function findJobFiles({ object, definition }: ReadJob, files: FileStore): Promise<JobFiles> {
  const given = filesOf(object);
  const data = await dataOf(given.data, definition.dataSchemaId, files);
  if (given.labels !== null) return { data, labels: await namedFile(given.labels, ELEMENT_PATHS.labels, files) };
  for (const name of labelsCandidates(data.name)) {
    const labels = await files.latest(name);
    if (labels !== null) return { data, labels };
  }
  return { data, labels: null };
}

async function dataOf(given: string | null, schemaId: string | null, files: FileStore): Promise<StoredFile> {
  if (given !== null) return await namedFile(given, ELEMENT_PATHS.data, files);
  const name = schemaId?.trim() ?? "";
  if (name !== "") return await namedFile(name, ELEMENT_PATHS.schema, files);
  const problem = "nothing names the data to train on";
  const remedy =
    "Upload it by POST /storage/upload, then PUT /vinnsl/{id}/addfile?fileId=… with the id that comes back";
  throw new RingstrasseError({
    code: "DATA_MISMATCH",
    file: "data",
    elementPath: ELEMENT_PATHS.schema,
    problem,
    remedy,
  });
}

async function namedFile(text: string, elementPath: string, files: FileStore): Promise<StoredFile> {
  const name = text.replace(/^name\//, "");
  const id = FileIdSchema.safeParse(text);
  const found = (id.success ? await fileOrNull(id.data, files) : null) ?? (await files.latest(name));
  if (found !== null) return found;
  const problem = "no stored file has this id or name";
  const remedy = "Upload it by POST /storage/upload, or name one of the files that GET /storage lists";
  throw new RingstrasseError({ code: "DATA_MISMATCH", file: name, elementPath, problem, remedy });
}

async function fileOrNull(id: StoredFile["id"], files: FileStore): Promise<StoredFile | null> {
  try {
    return await files.get(id);
  } catch (thrown) {
    if (thrown instanceof RingstrasseError && thrown.failure.code === "NOT_FOUND") return null;
    throw thrown;
  }
}

/** Has `use` read a job's files by path, as {@link lendFiles} does. @throws as it; as `use` */
export function lendJobFiles<T>(
  { data, labels }: JobFiles,
  place: LendingPlace,
  use: (lent: LentJobFiles) => Promise<T>,
): Promise<T> {
  const shelves = { data: [data], labels: labels === null ? [] : [labels] };
  return lendFiles(shelves, place, ({ data: [dataPath = ""], labels: [labelsPath = null] }) =>
    use({ dataPath, labelsPath }),
  );
}
