import { access, constants, writeFile } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import type { ParsedCommand } from "../../shared/cli/parse-command.js";
import { createDirectory } from "../../shared/create-directory.js";
import { RingstrasseError } from "../../shared/failure.js";
import { writeFailure } from "../../shared/write-failure.js";
import { RESUME_AUTO } from "../checkpoint/choose-checkpoint.js";
import { readInput } from "../cli/read-input.js";
import { refuseIdleSplit } from "../cli/refuse-idle-flags.js";
import type { SUBMIT_OPTIONS, SubmitOptions } from "../cli/submit-options.js";
import { readJob } from "../job/plan-run.js";
import { refuseUnsupported } from "../job/refuse-unsupported.js";
import { resolveData } from "../job/resolve-data.js";
import { toVinnslXml } from "../vinnsl/object/to-vinnsl-xml.js";
import { withParameter } from "../vinnsl/object/with-parameter.js";
import { type BatchRequest, batchRequest } from "./batch-request.js";
import { renderBatchScript } from "./batch-script.js";
import { checkRequest } from "./check-request.js";
import { checkpointsOf } from "./checkpoints-of.js";
import { jobEnvironment } from "./job-environment.js";
import { refuseUnfitPath, unsharedPlaces } from "./shared-path.js";
import { shellWord } from "./shell-word.js";
import { SlurmCommands } from "./slurm-commands.js";
import { type MemberSettings, parseSweep, refuseFixed, SWEEP_FILE, type SweepRecord, sweepMembers } from "./sweep.js";
import { trainArguments } from "./train-arguments.js";

export interface SubmitSurroundings {
  /** The compiled `ringstrasse` command, and the Node.js that runs it: the job uses the same. */
  readonly entry: string;
  readonly execPath: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
  /** Where prepared rows are kept unless `--data-dir` says otherwise. */
  readonly cacheDirectory: string;
  /** Names the run's folder where `--out` doesn't, e.g. `20261121T120000`. */
  readonly stamp: string;
}

export interface Submitted {
  /** Null: it was not submitted, as asked. */
  readonly jobId: string | null;
  readonly script: string;
  /** Where the job writes its results. */
  readonly out: string;
  /** What it says, as soon as it runs; `%a` stands for the number of a sweep's run. */
  readonly log: string;
  /** Of a sweep; null: it is none. */
  readonly runs: number | null;
  /** What the user should know; sentences without their full stop. */
  readonly remarks: readonly string[];
}

/**
 * `ringstrasse submit slurm`: checks document, options, data, cluster and paths; writes the batch script into the run's folder; submits it.
 * @throws RingstrasseError as `train` for document and options; BATCH_REFUSED; OUTPUT_UNWRITABLE
 */
export async function submitSlurm(
  command: ParsedCommand<typeof SUBMIT_OPTIONS>,
  around: SubmitSurroundings,
): Promise<Submitted> {
  const [scheduler, document = ""] = command.positionals;
  if (scheduler !== "slurm") {
    const remedy = "Use: ringstrasse submit slurm DEF.xml";
    throw new RingstrasseError({
      code: "CHOICE_UNSUPPORTED",
      option: "submit",
      value: scheduler ?? "",
      supported: ["slurm"],
      remedy,
    });
  }
  const options = command.values;
  const request = batchRequest(options, stemOf(document));
  const sweep = sweepOf(options);
  const { data, documents } = await checkJobs(command, document, { request, sweep });
  const slurm = new SlurmCommands(jobEnvironment(around.environment));
  const remarks = checkRequest(request, await slurm.nodes());
  const resume = resumeOf(options, around.directory);
  const files = [around.execPath, around.entry, document, data, ...givenFiles(options)];
  const absolute = files.map((file) => resolve(around.directory, file));
  const begun = resume === null ? [] : [resume];
  await Promise.all([...absolute, ...begun].map(refuseMissing));
  const places = await makePlaces(options, document, around);
  const { out: _ofTheSweep, ...own } = withoutIdleSplit(options);
  const passed = { ...own, "data-dir": places["data-dir"], ...(sweep === null ? { out: places.out } : {}), data };
  const words = trainArguments({ ...passed, ...checkpointsOf(options) }, around.directory);
  const script = join(places.out, "train.sbatch");
  const log = join(places.out, ...(sweep === null ? ["slurm-%j.out"] : ["%a", "slurm-%A_%a.out"]));
  const text = renderBatchScript({
    request,
    about: ["Written by ringstrasse submit slurm."],
    output: log,
    command: [around.execPath, around.entry].map(shellWord).join(" "),
    trainArguments: [...(sweep === null ? [absolute[2] ?? ""] : []), ...words].map(shellWord).join(" "),
    resume,
    out: places.out,
    array: sweep === null ? null : { tasks: sweep.length, atOnce: options["at-once"] ?? null },
    files: absolute,
    folders: [places.out, places["data-dir"]],
  });
  if (sweep !== null) await writeSweep(places.out, { document: absolute[2] ?? "", members: sweep }, documents);
  await written(script, text, 0o755);
  const unshared =
    request.nodes === 1 ? [] : await unsharedPlaces([...absolute.slice(2), ...begun, places.out, places["data-dir"]]);
  const jobId = options["dry-run"] === true ? null : await slurm.submit(script);
  const said = jobId === null ? log : log.replace("%j", jobId).replace("%A", jobId);
  const runs = sweep?.length ?? null;
  return { jobId, script, out: places.out, log: said, runs, remarks: [...remarks, ...unshared] };
}

function resumeOf({ resume }: SubmitOptions, directory: string): string | null {
  return resume === undefined || resume === RESUME_AUTO ? null : resolve(directory, resume);
}

/** A variable or a config file may have one for other runs; in the job it would be a flag. */
function withoutIdleSplit(options: SubmitOptions): SubmitOptions {
  const { "test-split": _idle, ...others } = options;
  return options["test-data"] === undefined ? options : others;
}

/** The members of a sweep; null: there is none. @throws RingstrasseError USAGE */
function sweepOf(options: SubmitOptions): readonly MemberSettings[] | null {
  const sweeps = (options.sweep ?? []).map(parseSweep);
  const refused = (option: string, problem: string) =>
    new RingstrasseError({ code: "USAGE", option, problem, remedy: "Leave it out" });
  if (sweeps.length === 0) {
    if (options["at-once"] !== undefined) throw refused("--at-once", "it is for the runs of a --sweep");
    return null;
  }
  const { resume } = options;
  if (resume !== undefined && resume !== RESUME_AUTO)
    throw refused("--resume", "the runs of a sweep have no beginning in common");
  refuseFixed(sweeps, options);
  return sweepMembers(sweeps);
}

/**
 * What is wrong with the jobs themselves is said here, not hours later on a node.
 * @returns the path of the training rows, and of a sweep each member's document
 */
async function checkJobs(
  { values, sources }: ParsedCommand<typeof SUBMIT_OPTIONS>,
  file: string,
  { request, sweep }: { readonly request: BatchRequest; readonly sweep: readonly MemberSettings[] | null },
): Promise<{ readonly data: string; readonly documents: readonly Uint8Array[] }> {
  refuseUnsupported(values);
  refuseIdleSplit({ values, sources });
  const options = { ...values, workers: request.nodes * request.tasksPerNode };
  const read = (bytes: Uint8Array) => readJob({ bytes, file, options, sources: { ...sources, workers: "flag" } });
  const { definition, object } = read(await readInput(file));
  const documents = (sweep ?? []).map((settings) => {
    const changed = Object.entries(settings).reduce((all, [name, value]) => withParameter(all, name, value), object);
    return Buffer.from(toVinnslXml(changed), "utf8");
  });
  for (const document of documents) read(document);
  return { data: await resolveData(values.data ?? null, definition, file), documents };
}

/** Each member's folder with its document, then what says that they belong together. */
async function writeSweep(out: string, record: SweepRecord, documents: readonly Uint8Array[]): Promise<void> {
  for (const [index, document] of documents.entries()) {
    const folder = join(out, String(index));
    await createDirectory(folder).catch((cause: unknown) => {
      throw writeFailure(folder, cause);
    });
    await written(join(folder, "document.xml"), document, 0o644);
  }
  await written(join(out, SWEEP_FILE), `${JSON.stringify(record, null, 2)}\n`, 0o644);
}

/** @throws RingstrasseError INPUT_MISSING */
async function refuseMissing(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (cause) {
    const problem = "it can't be read here";
    throw new RingstrasseError({ code: "INPUT_MISSING", file, problem, remedy: "Check the path" }, { cause });
  }
}

function givenFiles(options: SubmitOptions): string[] {
  const given = [options.labels, options["test-data"], options["test-labels"]];
  return given.filter((file) => file !== undefined);
}

/** The folders of the run: there before the job starts, since Slurm opens the job's output in one of them. */
async function makePlaces(options: SubmitOptions, document: string, around: SubmitSurroundings) {
  const out = resolve(around.directory, options.out ?? join("runs", `${stemOf(document)}-${around.stamp}`));
  const rows = resolve(around.directory, options["data-dir"] ?? join(around.cacheDirectory, "rows"));
  const folders = { "--out": out, "--data-dir": rows };
  for (const [option, folder] of Object.entries(folders)) {
    await createDirectory(folder).catch((cause: unknown) => {
      throw writeFailure(folder, cause);
    });
    refuseUnfitPath(option, folder);
  }
  return { out, "data-dir": rows };
}

async function written(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  try {
    await writeFile(path, content, { mode });
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}

function stemOf(document: string): string {
  const stem = basename(document, extname(document)).replaceAll(/[^A-Za-z0-9._-]/g, "_");
  return stem.slice(0, 80) || "train";
}
