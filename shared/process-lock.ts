import { createHash, randomBytes } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { isSystemError } from "./write-failure.js";

/** Removing a dead lock takes less. */
const REMOVAL_PAUSE_MS = 5;

const HolderSchema = z.object({
  host: z.string(),
  pid: z.number().int(),
  /** When the process started, in the kernel's own words: process ids are used again. */
  started: z.string().nullable(),
});
export type LockHolder = z.infer<typeof HolderSchema>;

export interface LockRules {
  /** What to throw while another process holds it. */
  readonly busy: (holder: LockHolder) => Error;
  /** What a process of another host counts as: nobody here can know whether it is alive. */
  readonly onOtherHosts: "alive" | "dead";
}

/**
 * Takes a right that one process at a time may have, across processes and, on shared file systems, hosts: a file at `path`, which is removed
 * when the right is given back. A lock whose process has died on this host is taken over.
 * @throws what `busy` makes of the holder; system errors, such as EPERM of a file system without hard links
 */
export async function acquireProcessLock(path: string, { busy, onOtherHosts }: LockRules): Promise<AsyncDisposable> {
  const isAlive = (holder: LockHolder) => lives(holder, onOtherHosts === "alive");
  const mine = `${path}.${process.pid}-${randomBytes(6).toString("hex")}`;
  const holder: LockHolder = { host: hostname(), pid: process.pid, started: await startOf(process.pid) };
  const text = JSON.stringify(holder);
  await writeFile(mine, text, { flag: "wx" });
  try {
    for (;;) {
      if (await linkUnlessThere(mine, path)) break;
      const found = await readIfThere(path);
      if (found === null) continue;
      const other = parseHolder(found);
      if (other !== null && (await isAlive(other))) throw busy(other);
      await takeAway({ path, dead: found, mine, isAlive });
    }
  } finally {
    await rm(mine, { force: true });
  }
  return {
    [Symbol.asyncDispose]: async () => {
      if ((await readIfThere(path)) === text) await rm(path, { force: true });
    },
  };
}

interface DeadLock {
  readonly path: string;
  /** What stands in it. */
  readonly dead: string;
  /** A file with this process's name, to be linked to. */
  readonly mine: string;
  readonly isAlive: (holder: LockHolder) => Promise<boolean>;
}

/**
 * Removes the lock of a dead process. Only who holds the right to remove *that* lock, a lock of its own named after it, may: without it, a
 * slow process could remove the lock of the one that has taken over since. Returns without having removed it when another is at it.
 */
async function takeAway({ path, dead, mine, isAlive }: DeadLock): Promise<void> {
  const right = `${path}.removal-${createHash("sha256").update(dead).digest("hex").slice(0, 16)}`;
  if (!(await linkUnlessThere(mine, right))) {
    const found = await readIfThere(right);
    const other = found === null ? null : parseHolder(found);
    if (found !== null && (other === null || !(await isAlive(other))))
      return await takeAway({ path: right, dead: found, mine, isAlive });
    return await wait(REMOVAL_PAUSE_MS);
  }
  try {
    if ((await readIfThere(path)) === dead) await rm(path, { force: true });
  } finally {
    await rm(right, { force: true });
  }
}

async function lives({ host, pid, started }: LockHolder, isElsewhereAlive: boolean): Promise<boolean> {
  if (host !== hostname()) return isElsewhereAlive;
  const now = await startOf(pid);
  return now !== null && now === started;
}

/** Start time of a process since boot, in clock ticks, with the boot's own id; null: there is no such process, or nothing but its exit code. */
async function startOf(pid: number): Promise<string | null> {
  const status = await readIfThere(`/proc/${pid}/stat`);
  if (status === null) return null;
  // The second field, the name, may contain spaces and brackets.
  const [state, ...others] = status.slice(status.lastIndexOf(")") + 2).split(" ");
  if (state === "Z" || state === "X") return null;
  const ticks = others[18];
  const boot = await readIfThere("/proc/sys/kernel/random/boot_id");
  return `${boot?.trim() ?? "?"} ${ticks ?? "?"}`;
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "EEXIST") return false;
    throw cause;
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (isSystemError(cause) && (cause.code === "ENOENT" || cause.code === "ESRCH")) return null;
    throw cause;
  }
}

function parseHolder(text: string): LockHolder | null {
  try {
    return HolderSchema.parse(JSON.parse(text));
  } catch (cause) {
    // Half a lock file: its writer was killed.
    if (cause instanceof SyntaxError || cause instanceof z.ZodError) return null;
    throw cause;
  }
}
