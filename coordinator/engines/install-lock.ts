import { createHash, randomBytes } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { isSystemError } from "../../shared/write-failure.js";
import { engineUnavailable } from "./engine-failure.js";

/** Removing a dead lock takes less. */
const REMOVAL_PAUSE_MS = 5;

const HolderSchema = z.object({
  host: z.string(),
  pid: z.number().int(),
  /** When the process started, in the kernel's own words: process ids are used again. */
  started: z.string().nullable(),
});
type Holder = z.infer<typeof HolderSchema>;

/**
 * Takes the right to change one engine, across processes and, on shared file systems, hosts. A lock whose process has died on this host
 * is taken over.
 * @throws RingstrasseError ENGINE_UNAVAILABLE while somebody else holds it; system errors
 */
export async function acquireInstallLock(engine: string, path: string): Promise<AsyncDisposable> {
  const mine = `${path}.${process.pid}-${randomBytes(6).toString("hex")}`;
  const holder: Holder = { host: hostname(), pid: process.pid, started: await startOf(process.pid) };
  const text = JSON.stringify(holder);
  await writeFile(mine, text, { flag: "wx" });
  try {
    for (;;) {
      if (await linkUnlessThere(mine, path)) break;
      const found = await readIfThere(path);
      if (found === null) continue;
      const other = parseHolder(found);
      if (other !== null && (await isAlive(other))) throw busy(engine, other, path);
      await takeAway(path, found, mine);
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

/**
 * Removes the lock of a dead process. Only who holds the right to remove *that* lock, a lock of its own named after it, may: without it, a
 * slow process could remove the lock of the one that has taken over since. Returns without having removed it when another is at it.
 * @param mine file with this process's name, to be linked to
 */
async function takeAway(path: string, dead: string, mine: string): Promise<void> {
  const right = `${path}.removal-${createHash("sha256").update(dead).digest("hex").slice(0, 16)}`;
  if (!(await linkUnlessThere(mine, right))) {
    const found = await readIfThere(right);
    const other = found === null ? null : parseHolder(found);
    if (found !== null && (other === null || !(await isAlive(other)))) return await takeAway(right, found, mine);
    return await wait(REMOVAL_PAUSE_MS);
  }
  try {
    if ((await readIfThere(path)) === dead) await rm(path, { force: true });
  } finally {
    await rm(right, { force: true });
  }
}

function busy(engine: string, { host, pid }: Holder, path: string): Error {
  const problem = `another process (${pid} on ${host}) is installing or removing it`;
  const elsewhere = host === hostname() ? "" : `; if that process is gone, delete ${path}`;
  return engineUnavailable({
    engine,
    problem,
    remedy: `Wait until it has finished, and run the command again${elsewhere}`,
  });
}

/** A process of another host counts as alive: nobody here can know. */
async function isAlive({ host, pid, started }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  const now = await startOf(pid);
  return now !== null && now === started;
}

/** Start time of a process since boot, in clock ticks, with the boot's own id; null: there is no such process. */
async function startOf(pid: number): Promise<string | null> {
  const status = await readIfThere(`/proc/${pid}/stat`);
  if (status === null) return null;
  // The second field, the name, may contain spaces and brackets.
  const ticks = status.slice(status.lastIndexOf(")") + 2).split(" ")[19];
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

function parseHolder(text: string): Holder | null {
  try {
    return HolderSchema.parse(JSON.parse(text));
  } catch (cause) {
    // Half a lock file: its writer was killed.
    if (cause instanceof SyntaxError || cause instanceof z.ZodError) return null;
    throw cause;
  }
}
