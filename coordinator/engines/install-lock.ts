import { hostname } from "node:os";
import { acquireProcessLock } from "../../shared/process-lock.js";
import { engineUnavailable } from "./engine-failure.js";

/**
 * Takes the right to change one engine, across processes and, on shared file systems, hosts. A lock whose process has died on this host
 * is taken over.
 * @throws RingstrasseError ENGINE_UNAVAILABLE while somebody else holds it; system errors
 */
export async function acquireInstallLock(engine: string, path: string): Promise<AsyncDisposable> {
  return await acquireProcessLock(path, {
    onOtherHosts: "alive",
    busy: ({ host, pid }) => {
      const problem = `another process (${pid} on ${host}) is installing or removing it`;
      const elsewhere = host === hostname() ? "" : `; if that process is gone, delete ${path}`;
      return engineUnavailable({
        engine,
        problem,
        remedy: `Wait until it has finished, and run the command again${elsewhere}`,
      });
    },
  });
}
