import { RingstrasseError } from "../../shared/failure.js";
import type { BatchRequest } from "./batch-request.js";
import type { SlurmNode } from "./slurm-nodes.js";
import { parseSlurmTime } from "./slurm-time.js";

/** States, as Slurm shortens them, of nodes that get no jobs for now. */
const AWAY = /^(down|drain|drng|fail|maint|boot|unk|inval|pow|plnd|resv|no_)|\*$/;

/**
 * Whether a cluster can ever give what a job asks for: what can't be would stay in the queue for ever, or be refused in fewer words. Pure.
 * @returns remarks about what will make it wait
 * @throws RingstrasseError BATCH_REFUSED naming the option, what there is, and what to ask for
 */
export function checkRequest(request: BatchRequest, nodes: readonly SlurmNode[]): string[] {
  const members = partitionOf(request, nodes);
  const [first] = members;
  const name = first?.partition ?? "";
  if (first?.isUp === false) {
    throw refused("--partition", `partition ${name} takes no jobs now`, `Choose another one: ${namesOf(nodes)}`);
  }
  const need = (option: string, fits: readonly SlurmNode[], lack: string, remedy: string) => {
    if (fits.length < request.nodes) throw refused(option, lack, remedy);
  };
  const all = `partition ${name} has ${count(members.length, "node")}`;
  need("--nodes", members, `${all}, ${request.nodes} are asked for`, `Ask for at most ${members.length}`);
  const cores = request.tasksPerNode * request.cpusPerTask;
  const most = largest(members, request.nodes, ({ cpus }) => cpus);
  const wide = `${request.tasksPerNode} × ${request.cpusPerTask} = ${cores} cores are asked for on each node, and ${count(request.nodes, "node")} of partition ${name} can have ${most}`;
  need(
    "--tasks-per-node",
    members.filter(({ cpus }) => cpus >= cores),
    wide,
    `Ask for at most ${most}, on more nodes`,
  );
  const gpus = largest(members, request.nodes, (node) => node.gpus);
  const devices = `${request.gpusPerNode} GPUs are asked for on each node, and ${count(request.nodes, "node")} of partition ${name} can have ${gpus}`;
  const fewer =
    gpus === 0
      ? `Leave it out, or choose another partition: ${namesOf(nodes)}`
      : `Ask for at most ${gpus}, on more nodes`;
  need(
    "--gpus-per-node",
    members.filter((node) => node.gpus >= request.gpusPerNode),
    devices,
    fewer,
  );
  refuseLongTime(request, first);
  const present = members.filter(({ state }) => !AWAY.test(state)).length;
  if (present >= request.nodes) return [];
  return [`the job will wait: ${present} of the ${count(members.length, "node")} of partition ${name} can be used now`];
}

function partitionOf({ partition }: BatchRequest, nodes: readonly SlurmNode[]): readonly SlurmNode[] {
  const members = nodes.filter((node) => (partition === null ? node.isDefault : node.partition === partition));
  if (members.length > 0) return members;
  const problem =
    partition === null ? "this cluster has no default partition" : `this cluster has no partition ${partition}`;
  throw refused("--partition", problem, `Choose one of ${namesOf(nodes)}`);
}

function refuseLongTime({ time }: BatchRequest, node: SlurmNode | undefined): void {
  if (time === null || node === undefined || !(parseSlurmTime(time) > node.timeLimitS)) return;
  const problem = `${time} is more than the ${node.timeLimitS / 60} minutes that partition ${node.partition} allows`;
  throw refused("--time", problem, "Ask for less, or choose another partition");
}

/** What the `wanted` best of the nodes all have. */
function largest(nodes: readonly SlurmNode[], wanted: number, of: (node: SlurmNode) => number): number {
  return nodes.map(of).sort((one, other) => other - one)[wanted - 1] ?? 0;
}

function namesOf(nodes: readonly SlurmNode[]): string {
  return [...new Set(nodes.map(({ partition }) => partition))].sort().join(", ");
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function refused(option: string, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "BATCH_REFUSED", option, problem, remedy });
}
