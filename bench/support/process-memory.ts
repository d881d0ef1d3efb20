import { readdir, readFile } from "node:fs/promises";
import { unlessGone } from "./unless-gone.js";

/** One process at one moment. */
export interface ProcessSample {
  readonly pid: number;
  /** `coordinator`, `worker` or whatever else the process calls itself. */
  readonly role: string;
  /** Resident memory, shared pages included. */
  readonly residentBytes: number;
  /** The process's own highest so far, by the kernel's account: nothing between two samples escapes it. */
  readonly peakBytes: number;
}

/** `pid` and all that descend from it, read from /proc (Linux only). Processes that end while this looks are left out. */
export async function sampleProcessTree(pid: number): Promise<ProcessSample[]> {
  const children = await childrenByParent();
  const samples: ProcessSample[] = [];
  const open = [pid];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    open.push(...(children.get(next) ?? []));
    const sample = await sampleProcess(next);
    if (sample !== null) samples.push(sample);
  }
  return samples;
}

async function childrenByParent(): Promise<Map<number, number[]>> {
  const children = new Map<number, number[]>();
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = await unlessGone(readFile(`/proc/${pid}/stat`, "utf8"));
    // The name in brackets may itself hold blanks and brackets: count from the last one. Then: state, parent.
    const parent = Number(stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (stat !== null) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  return children;
}

async function sampleProcess(pid: number): Promise<ProcessSample | null> {
  const status = await unlessGone(readFile(`/proc/${pid}/status`, "utf8"));
  const title = await unlessGone(readFile(`/proc/${pid}/cmdline`, "utf8"));
  if (status === null || title === null) return null;
  const residentBytes = kilobytes(status, "VmRSS");
  const peakBytes = kilobytes(status, "VmHWM");
  // A process that has ended but not been waited for has no memory left.
  if (residentBytes === null || peakBytes === null) return null;
  const role = /ringstrasse (coordinator|worker)/.exec(title.replaceAll("\0", " "))?.[1] ?? "other";
  return { pid, role, residentBytes, peakBytes };
}

function kilobytes(status: string, field: string): number | null {
  const text = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  return text === undefined ? null : Number(text) * 1024;
}
