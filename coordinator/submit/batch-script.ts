import type { BatchRequest } from "./batch-request.js";
import { shellWord } from "./shell-word.js";
import { parseSlurmTime } from "./slurm-time.js";

/** A batch job as its script has it. */
export interface BatchScript {
  readonly request: BatchRequest;
  /** What is said at the top, a line each. */
  readonly about: readonly string[];
  /** Where the job's output goes, `%j` being its number, `%A_%a` in an array; null: where it was submitted. */
  readonly output: string | null;
  /** Shell words, quoted where they have to be: the command, then the arguments of its `train`. */
  readonly command: string;
  readonly trainArguments: string;
  /** Absolute path that the first start goes on from; null: from what there is in the output directory. Later starts always do. */
  readonly resume: string | null;
  /** The output directory, absolute; null: the script's own arguments name it. In an array it holds those of the tasks, `0`, `1`, … */
  readonly out: string | null;
  /** A job array whose tasks train `document.xml` of their output directories; null: one job. */
  readonly array?: BatchArray | null;
  /** Absolute paths that every node must have; looked for if there are folders. */
  readonly files: readonly string[];
  /** Absolute paths of folders that must be the same ones on every node. */
  readonly folders: readonly string[];
}

export interface BatchArray {
  readonly tasks: number;
  /** Tasks that run side by side at most; null: as many as the cluster allows. */
  readonly atOnce: number | null;
}

/** Before the time limit, so that the run can save its state. Slurm may be a minute early. */
const WARNING_S = 120;

/** Between the end of the first rank and the end of the others by force: one that hangs can't end itself. */
const LAST_RANK_S = 30;

/**
 * The text of a batch script: what it asks for, a look at whether all nodes see the same files, then one step with a rank for each task.
 * Runs with bash; shellcheck has nothing against it. Pure.
 */
export function renderBatchScript(script: BatchScript): string {
  const { request, about, command, trainArguments } = script;
  const said = about.map((line) => `# ${line}`);
  const head = ["#!/usr/bin/env bash", ...directives(script), ...said, "set -euo pipefail", NOT_YET];
  const checks = script.folders.length === 0 ? [] : [sameFiles(script)];
  const own = script.array ? `"$out/document.xml" ${trainArguments} "--out=$out"` : trainArguments;
  const train = `${command} train ${own} "--resume=$resume"`;
  const sections = [head.join("\n"), SECRET, beginning(script), ...checks, step(request, train)];
  return `${sections.join("\n\n")}\n`;
}

function directives({ request, output, array }: BatchScript): string[] {
  const { jobName, nodes, tasksPerNode, cpusPerTask, gpusPerNode, partition, account, time } = request;
  const options: readonly (readonly [string, string | number | null])[] = [
    ["job-name", jobName],
    ["partition", partition],
    ["account", account],
    ["time", time],
    ["nodes", nodes],
    ["ntasks-per-node", tasksPerNode],
    ["cpus-per-task", cpusPerTask],
    ["gpus-per-node", gpusPerNode === 0 ? null : gpusPerNode],
    ["array", array ? `0-${array.tasks - 1}${array.atOnce === null ? "" : `%${array.atOnce}`}` : null],
    ["output", output],
    ["open-mode", "append"],
    ["signal", `B:USR1@${warningSeconds(time)}`],
  ];
  const lines = options.flatMap(([name, value]) => (value === null ? [] : [`#SBATCH --${name}=${value}`]));
  return [...lines, "#SBATCH --requeue"];
}

/** A function that does nothing, not the signal ignored: commands that the script starts would ignore it too. */
const NOT_YET = `# Whoever asks for a save before the run has begun asks for nothing, and would end the script.
trap : USR1`;

const SECRET = `# By it the ranks know each other. srun hands it to them, in their environment.
if [ -z "\${RINGSTRASSE_TOKEN:-}" ]; then
  RINGSTRASSE_TOKEN=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \\n')
fi
export RINGSTRASSE_TOKEN`;

/** A short job would be warned as soon as it starts. */
function warningSeconds(time: string | null): number {
  return time === null ? WARNING_S : Math.max(1, Math.min(WARNING_S, Math.floor(parseSlurmTime(time) / 4)));
}

function beginning({ resume, out, array }: BatchScript): string {
  const first = `resume=${resume === null ? "auto" : shellWord(resume)}`;
  const later = resume === null ? [] : [`if [ "\${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then resume=auto; fi`];
  const why =
    "# Slurm starts the job again after its time limit, or when a node is lost: it goes on from its last checkpoint.";
  return [
    why,
    first,
    ...later,
    out === null ? OWN_OUT : `out=${shellWord(out)}${array ? "/$SLURM_ARRAY_TASK_ID" : ""}`,
    NEWEST_STATE,
  ].join("\n");
}

/** Of a script that is given its document and options when it is submitted. */
const OWN_OUT = `out=\${RINGSTRASSE_OUT:-}
before=
for word; do
  case $word in --out=*) out=\${word#--out=} ;; esac
  if [ "$before" = --out ]; then out=$word; fi
  before=$word
done`;

const NEWEST_STATE = `newest_state() {
  local states=("$out"/checkpoints/step-*.ckpt)
  echo "\${states[-1]}"
}
began_from=$(newest_state)`;

/** A new file in each folder tells the same folder from another one of its name. */
function sameFiles({ files, folders, resume, array }: BatchScript): string {
  const begun = resume === null ? [] : [`if [ "$resume" != auto ]; then paths+=("$resume"); fi`];
  if (array) begun.push('paths+=("$out/document.xml")');
  return `# Every node has to see the same files.
advice='Put it on a file system that all nodes share'
${[`paths=(${files.map(shellWord).join(" ")})`, ...begun].join("\n")}
marks=()
for folder in ${folders.map(shellWord).join(" ")}; do
  mark=$(mktemp "$folder/.seen-by-all-nodes-XXXXXX") || {
    echo "ringstrasse: $(hostname): $folder is not there, or can't be written. $advice" >&2
    exit 4
  }
  marks+=("$mark")
done
seen=0
# shellcheck disable=SC2016 # expanded on each node
srun --mpi=none --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 bash -c '
  advice=$1
  shift
  for path; do
    [ -r "$path" ] && continue
    echo "ringstrasse: $(hostname): $path is not there. $advice" >&2
    exit 4
  done' bash "$advice" "\${paths[@]}" "\${marks[@]}" || seen=$?
rm -f -- "\${marks[@]}"
[ "$seen" -eq 0 ] || exit "$seen"`;
}

function step({ cpusPerTask, gpusPerNode }: BatchRequest, command: string): string {
  const gpus = gpusPerNode === 0 ? "" : " --gpus-per-task=1";
  return `# The time is nearly up: the run saves its state and ends. Not USR1: in Node.js that may open a debugger.
again=
step=
trap 'again=yes; if [ -n "$step" ]; then kill -USR2 "$step" || true; fi' USR1
# When a rank ends, the others have ${LAST_RANK_S} s: to say which of them failed, and to end by themselves.
srun --mpi=none --cpus-per-task="\${SLURM_CPUS_PER_TASK:-${cpusPerTask}}"${gpus} --kill-on-bad-exit=0 --wait=${LAST_RANK_S} \\
  ${command} &
step=$!
if [ -n "$again" ]; then kill -USR2 "$step" || true; fi
# A signal breaks a wait off. How the step has ended bash keeps, however early that was.
while kill -0 "$step" 2>/dev/null; do wait "$step" || true; done
status=0
wait "$step" || status=$?
if [ -n "$again" ] && [ "$status" -eq 130 ]; then
  # A first start may need its time for preparing the rows. One after it that saves nothing would be followed by others like it, for ever.
  if [ "\${SLURM_RESTART_COUNT:-0}" -gt 0 ] && [ "$(newest_state)" = "$began_from" ]; then
    echo "ringstrasse: the time was up again before any later state was saved, so the job is not queued again. Give it more --time; if saving has failed, a warning above says why" >&2
    exit 5
  fi
  echo "ringstrasse: the time is nearly up: the job is queued again, and goes on from its checkpoint" >&2
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"`;
}
