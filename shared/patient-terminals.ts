import process from "node:process";

/**
 * Lets what is written to a terminal wait in memory while the terminal takes nothing: held with Ctrl-S, behind a stalled ssh connection, or a
 * launcher's that has stopped reading. Node writes to terminals synchronously, so that the whole process would stand still until they go on:
 * a coordinator no longer answers its workers, which give it up. Pipes are written to asynchronously anyway. Call once, before anything is written.
 */
export function makeTerminalsPatient(): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.isTTY) continue;
    // Not documented, but what packages such as set-blocking have relied on since Node 0.12.
    const handle: unknown = Reflect.get(stream, "_handle");
    if (canBlock(handle)) handle.setBlocking(false);
  }
}

function canBlock(handle: unknown): handle is { setBlocking(isBlocking: boolean): unknown } {
  return typeof handle === "object" && handle !== null && "setBlocking" in handle;
}
