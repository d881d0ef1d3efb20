/** No cluster has more nodes; a list that names more is broken, and expanding it would take the memory of this host. */
const MOST_HOSTS = 100_000;

/**
 * The hosts of a node list as Slurm writes it, in its order: `gpu[01-03,7],login` → gpu01, gpu02, gpu03, gpu7, login. Numbers keep their
 * leading zeros; several brackets count like the digits of a number, the last one fastest. The same names as `scontrol show hostnames`
 * gives, without the command: in a container it isn't there. Pure; time and space are those of the result.
 * @returns null when it is no such list
 */
export function expandHostList(list: string): string[] | null {
  const hosts: string[] = [];
  for (const item of splitOutsideBrackets(list)) {
    const expanded = expandItem(item.trim(), MOST_HOSTS - hosts.length);
    if (expanded === null) return null;
    hosts.push(...expanded);
  }
  return hosts;
}

/** `a[1,2],b` → `a[1,2]` and `b`. */
function splitOutsideBrackets(list: string): string[] {
  return list.split(/,(?![^[]*\])/);
}

function expandItem(item: string, most: number): string[] | null {
  const [, head, inside, tail] = /^([^[\]]*)\[([^[\]]*)\](.*)$/.exec(item) ?? [];
  if (head === undefined || inside === undefined || tail === undefined)
    return /^[^[\],\s]+$/.test(item) ? [item] : null;
  const numbers = expandRanges(inside, most);
  const ends = tail === "" ? [""] : expandItem(tail, most);
  if (numbers === null || ends === null || numbers.length * ends.length > most) return null;
  return numbers.flatMap((number) => ends.map((end) => `${head}${number}${end}`));
}

/** `01-03,7` → 01, 02, 03, 7 */
function expandRanges(inside: string, most: number): string[] | null {
  const numbers: string[] = [];
  for (const range of inside.split(",")) {
    const [, first, last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(range) ?? [];
    if (first === undefined || last === undefined) return null;
    const count = Number(last) - Number(first) + 1;
    if (count < 1 || numbers.length + count > most) return null;
    for (let number = Number(first); number <= Number(last); number += 1) {
      numbers.push(String(number).padStart(first.length, "0"));
    }
  }
  return numbers;
}
