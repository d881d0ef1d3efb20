import process from "node:process";

/**
 * Lets a command outlive whoever reads its stderr (`2>&1 | head`, a `tee` that is killed, the terminal of an ssh session that ends): what nobody
 * can read is not worth a run. Of stdout the commands see to it themselves, since without its reader nobody would hear of the result. Call once,
 * before anything is written.
 */
export function outliveReaderOfStderr(): void {
  // Without a listener the stream's error would end the process, its workers and all.
  process.stderr.on("error", () => undefined);
}
