import { z } from "zod";
import { RingstrasseError } from "../../shared/failure.js";

/** One parameter of a document, and the values that it is tried with. */
export interface Sweep {
  readonly name: string;
  readonly values: readonly string[];
}

/** What one member of a sweep has in the place of the document's own values, by parameter. */
export type MemberSettings = Readonly<Record<string, string>>;

/** What lies in a sweep's folder as `sweep.json`; its members' runs lie beside it, in folders `0`, `1`, … */
export const SweepRecordSchema = z.object({
  document: z.string(),
  members: z.array(z.record(z.string(), z.string())).readonly(),
});
export type SweepRecord = z.infer<typeof SweepRecordSchema>;
export const SWEEP_FILE = "sweep.json";

/** Slurm's own limit (`MaxArraySize`) is 1001 unless a cluster says otherwise. */
const MOST_MEMBERS = 1000;

/** Reads `learningrate=0.1,0.01`. Pure. @throws RingstrasseError USAGE */
export function parseSweep(text: string): Sweep {
  const [, name = "", list = ""] = /^([A-Za-z][A-Za-z0-9 _-]*)=(.+)$/.exec(text) ?? [];
  const values = list.split(",").map((value) => value.trim());
  if (name === "" || values.includes("")) throw usage(`"${text}" is no parameter with values`);
  if (new Set(values).size < values.length) throw usage(`"${text}" has a value twice`);
  return { name: name.trim(), values };
}

/** Every value of each with every value of the others, the last varying fastest; one member without settings for no sweep. Pure. */
export function sweepMembers(sweeps: readonly Sweep[]): MemberSettings[] {
  const names = sweeps.map(({ name }) => foldName(name));
  const twice = sweeps.find(({ name }, index) => names.indexOf(foldName(name)) !== index);
  if (twice !== undefined) throw usage(`${twice.name} is given twice`);
  const count = sweeps.reduce((product, { values }) => product * values.length, 1);
  if (count > MOST_MEMBERS) throw usage(`${count} members are more than the ${MOST_MEMBERS} of one job array`);
  return sweeps.reduce<MemberSettings[]>(
    (members, { name, values }) => members.flatMap((member) => values.map((value) => ({ ...member, [name]: value }))),
    [{}],
  );
}

/** Options that say the same as a parameter rank over it: all members would be alike. Pure. @throws RingstrasseError USAGE naming the option */
export function refuseFixed(sweeps: readonly Sweep[], options: Readonly<Record<string, unknown>>): void {
  for (const { name } of sweeps) {
    const option = Object.keys(options).find(
      (each) => options[each] !== undefined && foldName(each) === foldName(name),
    );
    if (option !== undefined) throw usage(`--${option} gives all members one ${name}`, `Leave --${option} out`);
  }
}

/** As parameters of documents are told apart. */
function foldName(name: string): string {
  const folded = name.toLowerCase().replaceAll(/[\s_-]/g, "");
  return folded === "iterations" ? "epochs" : folded;
}

function usage(problem: string, remedy = "Give e.g. --sweep learningrate=0.1,0.01 --sweep seed=0,1"): RingstrasseError {
  return new RingstrasseError({ code: "USAGE", option: "--sweep", problem, remedy });
}
